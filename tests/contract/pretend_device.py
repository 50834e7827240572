"""A device that computes on the CPU and refuses what a real accelerator would refuse.

Importing this registers the device ``pretend`` with torch, for the whole process: only
programs that tests start import it.  A tensor on it wraps one on the CPU, which does the
work.  An operation that mixes the two places raises, but for numbers (tensors without a
dimension), copies, and positions on the CPU into a tensor of the device, as with CUDA.

Not covered: streams, pinned memory, random streams of the device, autocast.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

NAME = "pretend"
torch.utils.backend_registration._setup_privateuseone_for_python_backend(NAME)
DEVICE = torch.device(NAME, 0)
aten = torch.ops.aten

_COPIES = {aten._to_copy.default, aten.copy_.default, aten._copy_from.default}
_NUMBER = aten._local_scalar_dense.default
# The indexed tensor comes first, positions second; values, if any, third.
_INDEXED = {
    aten.index.Tensor,
    aten.index_put.default,
    aten.index_put_.default,
    aten._index_put_impl_.default,
}
calls: dict[str, int] = {}


class Placed(Tensor):
    """A tensor on the pretended device; ``work`` does the computing."""

    work: Tensor

    @staticmethod
    def __new__(cls, work: Tensor) -> Placed:
        made: Placed = Tensor._make_wrapper_subclass(
            cls,
            work.size(),
            strides=work.stride(),
            storage_offset=work.storage_offset(),
            dtype=work.dtype,
            device=DEVICE,
        )
        made.work = work
        return made

    def __repr__(self, **_: Any) -> str:
        return f"Placed({self.work})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})

    def __getitem__(self, index: Any) -> Tensor:
        # torch makes tensors of lists by a way that no Python device can serve.
        parts = index if isinstance(index, tuple) else (index,)
        parts = tuple(torch.tensor(one) if isinstance(one, list) else one for one in parts)
        return super().__getitem__(parts if isinstance(index, tuple) else parts[0])

    def tolist(self) -> Any:
        return self.work.tolist()


def computed(func: Any, args: Any, kwargs: Any) -> Any:
    """Do an operation on the CPU; refuse it if its tensors lie in two places."""
    calls[str(func)] = calls.get(str(func), 0) + 1
    flat, spec = tree_flatten((args, kwargs))
    _check(func, args, flat)
    asked = kwargs.get("device")
    here = any(isinstance(one, Placed) for one in flat)
    onto = here if asked is None else torch.device(asked).type == NAME
    inner_args, inner_kwargs = tree_unflatten([_inside(one) for one in flat], spec)
    if func is aten._thnn_fused_lstm_cell.default:  # made for accelerators only
        out = _lstm_cell(*inner_args)
    else:
        out = func(*inner_args, **inner_kwargs)
    if func is _NUMBER:
        return out
    given = [one for one in flat if isinstance(one, Tensor)]
    return tree_map(lambda one: _outside(one, given, onto), out)


def _check(func: Any, args: Any, flat: list[Any]) -> None:
    tensors = [one for one in flat if isinstance(one, Tensor) and one.dim() > 0]
    if func in _COPIES or func is _NUMBER or len({isinstance(one, Placed) for one in tensors}) < 2:
        return
    if func in _INDEXED:
        own = isinstance(args[0], Placed)
        values = [one for one in args[2:3] if isinstance(one, Tensor) and one.dim() > 0]
        if own and all(isinstance(one, Placed) for one in values):
            return
    places = ", ".join(str(one.device) for one in tensors)
    raise RuntimeError(f"{func}: expected all tensors on one device, and they are on {places}")


def _inside(one: Any) -> Any:
    if isinstance(one, Placed):
        return one.work
    return torch.device("cpu") if isinstance(one, torch.device) else one


def _outside(one: Any, given: list[Tensor], onto: bool) -> Any:
    if not isinstance(one, Tensor):
        return one
    for outer in given:  # what is changed in place stays the object that it was
        if outer is one or (isinstance(outer, Placed) and outer.work is one):
            return outer
    return Placed(one) if onto else one


def _lstm_cell(
    of_input: Tensor, of_hidden: Tensor, cell: Tensor, b: Any = None, c: Any = None
) -> tuple[Tensor, Tensor, Tensor]:
    gates = of_input + of_hidden + (0 if b is None else b + c)
    enter, forget, change, leave = gates.chunk(4, 1)
    after = forget.sigmoid() * cell + enter.sigmoid() * change.tanh()
    return leave.sigmoid() * after.tanh(), after, gates


def _convolution(x: Any, w: Any, b: Any, *how: Any) -> Any:
    return computed(aten.convolution.default, (x, w, b, *how), {})


def _convolution_backward(grad: Any, x: Any, w: Any, *how: Any) -> Any:
    *how, mask = how
    outputs = w.shape[1] * how[-1] if how[3] else w.shape[0]
    every = (grad, x, w, [outputs], *how, mask)
    return computed(aten.convolution_backward.default, every, {})


_libraries = [torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")]
_libraries[0].fallback(lambda op, *args, **kwargs: computed(op, args, kwargs), "PrivateUse1")
_libraries[1].impl("convolution_overrideable", _convolution, "PrivateUse1")
_libraries[1].impl("convolution_backward_overrideable", _convolution_backward, "PrivateUse1")

_tensor = torch.tensor


def _tensor_there(data: Any, *, device: Any = None, **more: Any) -> Tensor:
    made = _tensor(data, **more)
    return made if device is None else made.to(device)


torch.tensor = _tensor_there
