"""Checkpoints of a run that is not finished, in the folder that it is to be saved to.

``checkpoint/checkpoint.json``: specification, fingerprints of data and model,
finished epochs, and which file holds which tensor.  ``checkpoint/*.safetensors``:
the tensors.  A large accumulator has a file of its own that is named after its
content, so that one which did not change since the checkpoint before is not
written again (VoG's two copies of the input change in five epochs only).
``checkpoint/seed_0 ...``: the finished runs, where a run has several seeds.
``checkpoint/logits``: a file an epoch, where all logits are kept.

New files come first, then the JSON that names them, then the old files go:
whenever the process dies, the JSON on disk names files that are whole.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import write_json, writing, written_whole
from hcat_nb.runs.store.checkpoint import INDEX, PREVIOUS, SCHEMA_VERSION, read_index
from hcat_nb.runs.store.digests import file_digest
from hcat_nb.runs.store.fingerprint import tensor_digest
from hcat_nb.runs.store.folder import (
    CHECKPOINT,
    LOGITS,
    drop_if_empty,
    is_rest,
    nothing_of_a_users,
    remove_checkpoint,
    settle,
    within,
)
from hcat_nb.runs.store.saving import load_record, write_record

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from hcat_nb.runs.store.record import Record
    from hcat_nb.training.loop import TrainState

_LARGE = 2**20  # bytes, from which an accumulator has a file of its own


@dataclass(eq=False)
class Journal:
    """Writes and reads the checkpoints of one run.

    ``folder`` is the run's own, which the caller owns (:mod:`hcat_nb.runs.store.lock`); ``head``
    says what the run is, the same in each of its checkpoints; with ``keep`` the last one stays when
    the run is finished; ``index`` is the JSON of the checkpoint to go on from.
    """

    folder: Path
    head: dict[str, Any] = field(default_factory=dict)
    keep: bool = False
    index: dict[str, Any] | None = None
    _last: dict[str, Any] = field(default_factory=dict)  # the checkpoint that was written last

    @property
    def resumed(self) -> list[dict[str, int]]:
        """From which seeds and epochs the run was resumed."""
        return list(self.head.get("resumed", []))

    @property
    def place(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / CHECKPOINT

    def write(
        self,
        seed: int,
        progress: TrainState,
        accumulators: Mapping[str, Mapping[str, Tensor]],
        seconds: float,
        epoch_files: Path | None = None,
        clock: Mapping[str, float] | None = None,
    ) -> None:
        """Write a checkpoint, and take away the one before.

        ``accumulators`` are the state of each, by name; training took ``seconds`` so far,
        observation those of ``clock``, by part; to ``epoch_files`` training adds a file an epoch.
        """
        from safetensors import SafetensorError

        before, epoch = self._before, len(progress.history)
        small = {f"parts:{name}": value for name, value in progress.parts.items()}
        files: list[str] = []
        with self._writing(SafetensorError):  # of a full disk it raises its own
            self.place.mkdir(parents=True, exist_ok=True)
            for who, state in accumulators.items():
                for name, value in state.items():
                    key = f"{who}:{name}"
                    if value.numel() * value.element_size() < _LARGE:
                        # What shares its memory with another cannot stand in one file with it.
                        small[key] = value.detach().clone()
                        continue
                    # The key is part of the name: equal content may stand under two keys.
                    files.append(f"{who}-{name}-{tensor_digest(value)}.safetensors")
                    if files[-1] not in before.get("files", ()):  # another may be damaged
                        self._save(files[-1], {key: value.detach()})
            files.append(f"small-{seed}-{epoch}.safetensors")
            self._save(files[-1], small)
            self._index(
                seed=seed,
                epoch=epoch,
                seconds=seconds,
                history=[dataclasses.asdict(record) for record in progress.history],
                accumulators=list(accumulators),
                files=files,
                epoch_files=self._copied(epoch_files),
                clock=dict(clock or {}),
            )
            self._sweep({*files, *before.get("files", ())})

    def tensors(self, index: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the moving parts, and the accumulators' states by name, of a checkpoint."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        found: dict[str, Tensor] = {}
        for name in index["files"]:
            try:
                found |= load_file(self.place / name)
            except (OSError, SafetensorError) as error:
                raise StoreError(
                    f"{self.place / name} cannot be read ({error})",
                    "the files of a checkpoint as they were written",
                    "start the run again (overwrite)",
                ) from error
        parts: dict[str, Tensor] = {}
        states: dict[str, Any] = {name: {} for name in index["accumulators"]}
        for key, value in found.items():
            kind, _, name = key.partition(":")
            if kind == "parts":
                parts[name] = value
            elif kind in states:  # else the run has no such part, as its check tells
                states[kind][name] = value
        return parts, states

    def give_back(self, index: Mapping[str, Any], folder: Path) -> None:
        """Copy the epochs' files of a checkpoint into the folder of the training."""
        for name in index["epoch_files"]:
            try:
                shutil.copyfile(self.place / LOGITS / name, folder / name)
            except OSError as error:
                raise StoreError(
                    f"{self.place / LOGITS / name} cannot be copied to {folder} ({error})",
                    remedy="make room there and resume",
                ) from error

    def keep_seed(self, seed: int, run: Record, metrics: pd.DataFrame | None) -> None:
        """Save the finished run of one seed."""
        folder = within(self.place, f"seed_{seed}")
        write_record(run, folder, metrics, keep_checkpoint=False)

    def seeds(self) -> list[Record]:
        """Return the finished runs of the first seeds."""
        runs: list[Record] = []
        while (path := within(self.place, f"seed_{len(runs)}")).is_dir():
            settle(path)
            if nothing_of_a_users(path):  # a save that found no room; its checkpoint stands there
                break
            runs.append(load_record(path))
        return runs

    @property
    def _before(self) -> dict[str, Any]:
        """The checkpoint that stands there, or was gone on from."""
        return self._last or self.index or {}

    def begin(self) -> None:
        """Write a checkpoint from before the first epoch, in place of whatever stands there."""
        nothing: dict[str, Any] = {"history": [], "accumulators": [], "files": []}
        with self._writing():
            remove_checkpoint(self.folder)
            self.place.mkdir(parents=True, exist_ok=True)
            self._index(seed=0, epoch=0, seconds=0.0, **nothing, epoch_files=[])

    def discard(self) -> None:
        """Take the checkpoints away, and the folder if nothing else is in it."""
        remove_checkpoint(self.folder)
        drop_if_empty(self.folder)

    def save(self, run: Record, metrics: pd.DataFrame | None, *, resumable: bool) -> None:
        """Save the run in place of its checkpoints, which stay if they are wanted."""
        if self.keep and not resumable and (index := read_index(self.folder)) is not None:
            with self._writing():
                write_json(self.place / INDEX, {**index, "outcome": "finished"})
        write_record(run, self.folder, metrics, keep_checkpoint=self.keep or resumable)

    def _copied(self, folder: Path | None) -> list[str]:
        """Copy the files of a folder that are not here yet; return the names of all."""
        if folder is None:
            return []
        own = self.place / LOGITS
        own.mkdir(exist_ok=True)
        names = sorted(path.name for path in folder.iterdir())
        for name in names:
            if name not in self._before.get("epoch_files", ()):
                written_whole(own / name, partial(shutil.copyfile, folder / name))
        return names

    def _index(self, **values: Any) -> None:
        """Write which files a checkpoint has; the one before stays beside it."""
        names = [*values["files"], *(f"{LOGITS}/{name}" for name in values["epoch_files"])]
        known = self._before.get("digests", {})  # a name that stays is of the same content
        digests = {name: known.get(name) or file_digest(self.place / name) for name in names}
        plain = {"schema_version": SCHEMA_VERSION, "outcome": None, **self.head, **values}
        plain["digests"] = digests
        if self._before:
            write_json(self.place / PREVIOUS, self._before)
        write_json(self.place / INDEX, plain)
        self._last = plain

    def _writing(self, *others: type[Exception]) -> AbstractContextManager[None]:
        remedy = "make room there and resume, or run without a folder"
        return writing(f"the checkpoint in {self.place}", remedy, *others)

    def _save(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        from safetensors.torch import save_file

        plain = {key: value.cpu().contiguous() for key, value in tensors.items()}
        written_whole(self.place / name, lambda draft: save_file(plain, draft))

    def _sweep(self, used: Iterable[str]) -> None:
        """Take away the files of earlier checkpoints, and drafts that a kill left."""
        for path in self.place.iterdir():
            ours = path.suffix == ".safetensors" or is_rest(path)
            if ours and path.is_file() and path.name not in used:
                path.unlink()
