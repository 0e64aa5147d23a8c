"""Another device than the CPU, pretended: every tensor of a block must be born there, and only outcomes leave it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support import FALSE_FAIL, same_law_p_value
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from signflip import Architecture, Attack, Training, activations
from signflip.activations.arrays import is_plain
from signflip.networks import modules
from signflip.networks.behind import Behind
from signflip.networks.blocks import Bias, Concatenate, Conv, LayerNorm, Linear, Pointwise, Pool, Residual
from signflip.networks.randomness import DeviceDraws, Draws, Key
from signflip.networks.sequential import Sequential
from signflip.sampling import devices
from signflip.sampling.configuration import DTYPES, LIVE_TENSORS, Configuration
from signflip.sampling.devices import CPU, Device
from signflip.sampling.engines.engine import Serial
from signflip.sampling.trials import _block, blocks, collect, run_block

KEY = Key(5, "devices", "")
GPU_PRESENT = torch.cuda.is_available()


def on_a_gpu(test):
    """A test that needs a CUDA device, and is skipped, with the reason, where there is none."""
    reason = "no CUDA device: torch.cuda.is_available() is False"
    return pytest.mark.gpu(pytest.mark.skipif(not GPU_PRESENT, reason=reason)(test))


THERE = torch.device("meta")  # stands for the device; its tensors are in fact here


class PretendedDevice(TorchFunctionMode):
    """Tensors made "there", and what is computed from them, are marked, and refuse to meet those made "here".

    Marks are on storages, which backward passes share, and which are kept: none is taken for another one's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.marked = {}

    def within(self, function):
        def inside(*given):
            with self:
                return function(*given)

        return inside

    def is_there(self, tensor):
        return tensor.untyped_storage().data_ptr() in self.marked

    def __torch_function__(self, function, _types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(function, "__name__", "")
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
        there = [self.is_there(tensor) for tensor in tensors]
        if name == "to" and args[1] == THERE:
            function, args, there = torch.clone, args[:1], [True]
        elif kwargs.get("device") == THERE:
            kwargs["device"] = torch.device("cpu")
            there.append(True)
        elif any(there):
            # As on a true device, single numbers may come from the CPU; what holds nothing lies nowhere.
            away = (t for t, is_there in zip(tensors, there, strict=True) if not is_there)
            stray = [tuple(t.shape) for t in away if t.ndim > 0 and t.numel()]
            assert not stray, f"{name} of {stray} and what is on the device"
            assert name != "numpy", "numpy reads what is on the device"
        made = function(*args, **kwargs) if name != "cpu" else args[0].clone()
        if any(there) and name != "cpu":
            for tensor in tree_leaves(made):
                if torch.is_tensor(tensor) and tensor.numel():
                    self.marked[tensor.untyped_storage().data_ptr()] = tensor
        return made


class PretendedDraws(DeviceDraws):
    """Draws of the pretended device."""

    def __init__(self, sequence, dtype, device) -> None:
        super().__init__(sequence, dtype, torch.device("cpu"))
        self.device = device


SUBJECTS = [
    {"widths": (6,)},
    {"widths": (6, 4), "steps": 3},
    {"widths": (6,), "companion": 1.0, "compare_gradients": True},
    {"widths": (5,), "direction": "random", "output": "rademacher"},
    {"widths": (5, 3), "law": "dense", "companion": 0.5},
    {"widths": (5,), "law": "dense", "point": (1.0, 2.0, 3.0, 4.0), "entries": "student-t"},
    {"widths": (5, 3), "stop": "sign change", "steps": 2, "dtype": "float64"},
]


TANH = Pointwise(activations.get("tanh"))
MODELS = [
    Sequential(6, (Conv(8), Bias(1.0), LayerNorm(), TANH, Residual((Linear(8), TANH)), Pool()), grid=(2, 2)),
    Sequential(6, (Concatenate(((Linear(5), TANH), (Linear(4),))), Linear(7), TANH), outputs=3),
    Behind(6, 8, "strategies.modules:encoder", {"width": 8, "heads": 2}, positions=3),
]


def subject(widths, name="tanh", **options):
    arch, activation = Architecture(4, widths), activations.get(name)
    return Configuration.of(arch, activation, 2 * arch.natural_step(activation), **options)


def device_draws(block, dtype):
    return DeviceDraws(KEY.sequence(block), dtype, torch.device("cpu"))


@pytest.mark.parametrize("options", SUBJECTS, ids=str)
def test_a_block_on_a_device_has_the_law_of_one_on_the_cpu(options):
    """Three exact two-sample statements, false-fail rate 1e-9 each, on the draws that a device makes."""
    c = subject(**options)
    dtype = torch.float32 if c.dtype == "float32" else torch.float64
    there, here = _block(c, 20_000, device_draws(0, dtype), 2**20), collect(blocks(c, KEY), 20_000)
    for name, column in there.columns().items():
        assert same_law_p_value(column, here.columns()[name]) >= FALSE_FAIL, name


@pytest.mark.parametrize("options", SUBJECTS, ids=str)
@pytest.mark.parametrize("name", ["tanh", "relu", "gelu", "triangle", "cubic"])
def test_nothing_of_a_block_is_made_on_the_wrong_device(name, options, monkeypatch):
    with PretendedDevice() as pretended:
        for user in ("networks.products", "activations.elementary"):
            monkeypatch.setattr(
                f"signflip.{user}.is_plain",
                lambda *all: is_plain(*all) and not any(map(pretended.is_there, all)),
            )
        for kind in (modules._Product, modules._Applied, modules._InnerProduct):
            # torch leaves the mode for `autograd.grad`, and so for what a backward pass is made of.
            monkeypatch.setattr(kind, "backward", staticmethod(pretended.within(kind.backward)))
        monkeypatch.setattr("signflip.networks.randomness.DeviceDraws", PretendedDraws)
        dtype = DTYPES[options.get("dtype", "float32")]
        sample = _block(subject(name=name, **options), 30, PretendedDraws(KEY.sequence(0), dtype, THERE), 2**20)
        assert len(sample) == 30
        assert len(pretended.marked) > 20


def test_the_pretended_device_notices_what_is_made_on_the_wrong_one():
    with PretendedDevice():
        there = torch.ones(3, device=THERE) * 2
        with pytest.raises(AssertionError, match="add"):
            there + torch.ones(3)
        with pytest.raises(AssertionError, match="numpy"):
            there.numpy()
        assert (there.cpu() + torch.ones(3)).numpy().tolist() == [3.0] * 3


def test_device_draws_are_a_function_of_their_key():
    first, again, other = (device_draws(block, torch.float32) for block in (3, 3, 4))
    drawn = first.normal(50)
    assert torch.equal(drawn, again.normal(50))
    assert not torch.equal(drawn, other.normal(50))
    assert torch.equal(first.child(1, 2).normal(9), again.child(1, 2).normal(9))


def test_a_key_of_a_device_makes_draws_on_that_device():
    assert type(KEY.draws(0, torch.float32, "cpu")) is not DeviceDraws
    if GPU_PRESENT:
        assert KEY.draws(0, torch.float32, "cuda").normal(3).is_cuda


@pytest.mark.parametrize(("law", "asked"), [("conditioned", "cuda"), ("dense", "cuda"), ("infinite-width", "cpu")])
def test_a_block_asks_for_draws_on_its_device(law, asked, monkeypatch):
    """The infinite-width law stays on the CPU: its trials are a few numbers."""
    devices_asked = []

    def draws(key, block, dtype, device="cpu"):
        devices_asked.append(device)
        return Draws(key.sequence(block), dtype)

    monkeypatch.setattr(Key, "draws", draws)
    c = subject((5,), law=law)
    sample = run_block(c, KEY, 0, Device("cuda", 200))
    assert devices_asked == [asked]
    assert len(sample) == Device("cuda", 200).block_trials(c)


def test_the_serial_engine_samples_on_its_device(monkeypatch):
    monkeypatch.setattr(devices, "cuda", lambda: Device("cpu", 12 * (5 * LIVE_TENSORS + 5)))
    sizes = [len(next(Serial(device).blocks(subject((5,)), KEY, 100))) for device in ("cpu", "cuda")]
    assert sizes == [2048, 12]


def test_blocks_grow_with_the_device_and_do_not_depend_on_anything_else():
    wide, narrow = subject((5000,)), subject((2,))
    gpu = Device("cuda", 2**26)
    assert CPU.block_trials(wide) == wide.block_trials == 2**19 // 5000
    assert gpu.block_trials(wide) == 2**26 // (LIVE_TENSORS * 5000 + 5000)  # the output weights among it
    assert gpu.block_trials(narrow) == 2**16
    assert gpu.block_trials(wide.varied(steps=3)) == 2**26 // (3 * LIVE_TENSORS * 5000 + 5000)
    assert gpu.block_trials(wide.varied(outputs=100)) == 2**26 // (LIVE_TENSORS * 5000 + 100 * 5000)
    assert CPU.block_trials(wide.varied(outputs=100)) == 2**19 // (100 * 5000)
    limit = subject((1,), law="infinite-width")
    assert gpu.block_trials(limit) == CPU.block_trials(limit)
    assert gpu.segment == 2**26 // LIVE_TENSORS > CPU.segment == 2**20


def test_a_block_takes_half_of_the_devices_memory_at_most():
    for gib in (1, 4, 8, 16, 140):
        entries = devices.entries_within(gib * 2**30)
        assert entries * 8 <= gib * 2**29
        assert entries == 2**29 or 2 * entries * 8 > gib * 2**29
    assert devices.entries_within(2**30) == 2**26
    assert devices.entries_within(140 * 2**30) == 2**29


@pytest.mark.skipif(GPU_PRESENT, reason="there is a CUDA device here")
def test_asking_for_a_gpu_where_there_is_none_says_so():
    with pytest.raises(RuntimeError, match="no CUDA device"):
        devices.cuda()


@on_a_gpu
@pytest.mark.parametrize("options", SUBJECTS, ids=str)
def test_a_gpu_has_the_law_of_the_cpu(options):
    c = subject(**options)
    there, here = (collect(blocks(c, KEY, device), 20_000) for device in (devices.cuda(), CPU))
    for name, column in there.columns().items():
        assert same_law_p_value(column, here.columns()[name]) >= FALSE_FAIL, name


@on_a_gpu
@pytest.mark.parametrize("law", ["conditioned", "dense"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_networks_of_any_form_have_the_law_of_the_cpu_on_a_gpu(model, law):
    c = Configuration(model, Attack(1.0, steps=2), law=law, dtype="float64")
    there, here = (collect(blocks(c, KEY, device), 4_000) for device in (devices.cuda(), CPU))
    for name, column in there.columns().items():
        assert same_law_p_value(column, here.columns()[name]) >= FALSE_FAIL, name


@on_a_gpu
@pytest.mark.parametrize("law", ["conditioned", "dense"])
def test_trained_networks_have_the_law_of_the_cpu_on_a_gpu(law):
    options = {"momentum": 0.5, "weight_decay": 0.1, "clip": 1.0, "batch": 2}
    training = Training(((1.0, 0.5), (-0.5, 1.0), (0.2, -1.0)), (1, -1, 1), 0.2, 4, **options)
    c = subject((6, 5), law=law, training=training, direction="across", dtype="float64")
    there, here = (collect(blocks(c, KEY, device), 8_000) for device in (devices.cuda(), CPU))
    for name, column in there.columns().items():
        for one, other in zip(np.atleast_2d(column.T), np.atleast_2d(here.columns()[name].T), strict=True):
            assert same_law_p_value(one, other) >= FALSE_FAIL, name


@on_a_gpu
@pytest.mark.parametrize("law", ["conditioned", "dense"])
@pytest.mark.parametrize("model", [subject((500, 300), steps=3).model, *MODELS[:2]], ids=str)
def test_a_block_on_a_gpu_needs_no_more_memory_than_it_may(model, law):
    c, place = Configuration(model, Attack(1.0, steps=3), law=law, dtype="float64"), Device("cuda", 2**27)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    run_block(c, KEY, 0, place)
    # Beside the block, cuBLAS has a workspace of at most 33 MiB for each of the two threads that call it.
    assert torch.cuda.max_memory_allocated() <= 8 * place.entries + 2**26 + 2**21


@on_a_gpu
def test_a_block_of_a_gpu_can_be_drawn_again():
    first, again = (run_block(subject((50, 20)), KEY, 1, devices.cuda()) for _ in range(2))
    assert all((first.columns()[name] == column).all() for name, column in again.columns().items())
    assert math.isfinite(first.value.sum())
