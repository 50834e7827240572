"""Whether what is read is what was written: digests of files, and a seal on JSON.

A bit that flips on a disk, or a file that was cut, would else load as other
numbers.  Digests are BLAKE2b, of 128 bits; they are no protection against who
changes a file and its digest on purpose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hcat_nb.errors import StoreError

_SEAL = "digest"
_SIZE = 16


def file_digest(path: Path) -> str:
    """Return a digest of a file's content, 32 hexadecimal digits; read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_SIZE)).hexdigest()


def check_files(folder: Path, digests: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise StoreError if a file that a run wrote is missing, cut, or not as it was written.

    A name that is not among ``digests`` is not checked.
    """
    bad = {name: why for name in names if (why := _fault(folder / name, digests.get(name)))}
    if not bad:
        return
    intact = sorted(name for name in digests if name not in bad and (folder / name).is_file())
    raise StoreError(
        f"in {folder} {', '.join(f'{name} {why}' for name, why in sorted(bad.items()))}",
        "files as they were written",
        f"take them from a copy; what can still be read there: {', '.join(intact) or 'nothing'}",
    )


def _fault(path: Path, digest: str | None) -> str:
    if not path.is_file():
        return "is missing"
    try:
        return "" if digest is None or file_digest(path) == digest else "is damaged"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def sealed(values: Mapping[str, Any]) -> str:
    """Return strict JSON text with a digest of all that it says; refuses NaN and infinity."""
    # As it will be read: keys are text then, tuples lists.
    plain = json.loads(json.dumps(values, allow_nan=False, ensure_ascii=False))
    whole = {**plain, _SEAL: _digest(plain)}
    return json.dumps(whole, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def parsed(text: str | bytes) -> Any:
    """Return what JSON stands for; ValueError if it is none, or nested too deep."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its lists and objects are nested too deep") from None


def unsealed(text: str | bytes) -> Any:
    """Return what :func:`sealed` was given; JSON of earlier versions has no seal.

    ValueError if it is no JSON, or was changed after it was written.

    >>> text = sealed({"epoch": 3})
    >>> unsealed(text)
    {'epoch': 3}
    >>> unsealed(text.replace("3", "7", 1))
    Traceback (most recent call last):
        ...
    ValueError: it is damaged, or was changed after it was written: its digest does not fit
    """
    values = parsed(text)
    if isinstance(values, dict) and _SEAL in values:
        seal = values.pop(_SEAL)
        if seal != _digest(values):
            raise ValueError(
                "it is damaged, or was changed after it was written: its digest does not fit"
            )
    return values


def read_sealed(
    path: Path,
    expected: str,
    newest: int,
    remedy: str | None = None,
    kinds: Iterable[tuple[str, type]] = (),
) -> dict[str, Any]:
    """Return the object that a JSON file of ours holds.

    ``expected``, what the file should be, and ``remedy`` are for the error; ``newest`` is the
    version of the schema that is known; ``kinds`` say what it has to hold, and of which type.
    """
    try:
        values: dict[str, Any] = unsealed(path.read_bytes())
        schema = values["schema_version"]
        if type(schema) is not int:
            raise TypeError(f"schema_version is {schema!r}")
        for key, kind in kinds if schema <= newest else ():
            if not isinstance(values[key], kind):
                raise TypeError(f"{key} is {values[key]!r}"[:80])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read ({error!r})", expected, remedy) from error
    if schema > newest:
        raise StoreError(f"{path} has the schema {schema}", f"at most {newest}", "update hcat_nb")
    return values


def misfit(values: Mapping[Any, Any], kinds: Mapping[str, Any]) -> str:
    """Return the first key whose value is not of its kind, "" if there is none.

    A kind is a type or several; kinds by key, ``*`` for any; or a list of what its items are.
    """
    for key, kind in kinds.items():
        for name in values if key == "*" else (key,):
            value = values.get(name, ...)
            if isinstance(kind, list):
                value = dict(enumerate(value)) if isinstance(value, list) else ...
            within = {"*": kind[0]} if isinstance(kind, list) else kind
            if not isinstance(value, dict if isinstance(within, dict) else within):
                return str(name)
            if isinstance(within, dict) and (inner := misfit(value, within)):
                return f"{name}.{inner}"
    return ""


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=_SIZE).hexdigest()
