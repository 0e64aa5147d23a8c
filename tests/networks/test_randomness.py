"""Keys, streams and the laws of their draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import gammainc, ndtr
from support import FALSE_FAIL, generator, same_law_p_value, uniform_law_p_value

from signflip.inference import clopper_pearson
from signflip.networks.randomness import ENTRY_LAWS, Key, mersenne_twister

WORDS = 624


def state_words(torch_generator):
    """The 624 words of a CPU generator's state, by the layout of torch's serialised state."""
    state = torch_generator.get_state().numpy()
    return state[24 : 24 + 8 * WORDS].view(np.uint64)


def source(*entropy):
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))


def test_every_word_of_the_state_is_drawn_afresh_for_each_key():
    """Two states of 60 keys and blocks agree in at most 2 of 624 words: by chance 3 would agree with probability
    below 624^3/6 / 2^96 a pair, 1e-18 in all. torch's own seeding fixes all words by 32 bits."""
    keys = [Key(seed, purpose, configuration) for seed in (0, 1) for purpose in "ab" for configuration in "cd"]
    states = [state_words(k.draws(b, torch.float32)._torch) for k in keys for b in range(8)]
    assert all(int(state.max()) < 2**32 for state in states)
    for i, first in enumerate(states):
        for second in states[:i]:
            assert (first == second).sum() <= 2


def test_seeds_that_agree_in_their_low_32_bits_give_different_streams():
    """manual_seed on the CPU would give one stream to all of these."""
    streams = [Key(seed, "low bits", "c").draws(0, torch.float32).normal(50) for seed in (7, 7 + 2**32, 7 + 2**64)]
    assert not torch.equal(streams[0], streams[1])
    assert not torch.equal(streams[0], streams[2])
    assert not torch.equal(streams[1], streams[2])


def test_torch_generates_from_the_state_what_numpys_mersenne_twister_generates_from_it():
    """The recurrence is public: numpy's MT19937, given the same 624 words, is the oracle for the layout. 2000 words,
    two for each whole number of 62 bits, cross three regenerations of the state."""
    torch_generator = mersenne_twister(source(1))
    numpy_twister = np.random.MT19937(0)
    state = numpy_twister.state
    state["state"] = {"key": state_words(torch_generator).astype(np.uint32), "pos": WORDS}
    numpy_twister.state = state
    high, low = numpy_twister.random_raw((1000, 2)).astype(np.uint64).T
    expected = ((high << np.uint64(32)) | low) % np.uint64(2**62)
    got = torch.empty(1000, dtype=torch.int64).random_(0, 2**62, generator=torch_generator)
    assert np.array_equal(got.numpy(), expected)


def test_the_state_is_never_the_one_of_zeros_that_the_recurrence_cannot_leave():
    class Zeros:
        def integers(self, low, high, size, dtype):
            assert (low, high) == (0, 2**32)
            return np.zeros(size, dtype)

    torch_generator = mersenne_twister(Zeros())
    assert torch.empty(2000).uniform_(generator=torch_generator).max() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_stream_is_a_function_of_its_key_and_block(dtype):
    def draw(key, block):
        draws = key.draws(block, dtype)
        parts = [
            draws.normal(3, 20),
            draws.normal64(5),
            draws.chi(4, 6),
            draws.entries("rademacher", 8),
            draws.normal(2),
        ]
        return torch.cat([part.double().flatten() for part in parts])

    key = Key(1, "stream", "c")
    assert torch.equal(draw(key, 3), draw(Key(1, "stream", "c"), 3))
    for other in (Key(2, "stream", "c"), Key(1, "streams", "c"), Key(1, "stream", "d")):
        assert not torch.equal(draw(key, 3), draw(other, 3))
    assert not torch.equal(draw(key, 3), draw(key, 4))


# Every number to 20,000, and each power of two to 2^62 with its neighbours: a number taken modulo any power of two, or
# cut to fewer bits, repeats one of these.
NUMBERS = sorted({*range(20_000), *(2**k + j for k in range(14, 63) for j in (-1, 0, 1))})


def test_no_two_blocks_of_a_key_share_a_stream_however_many_there_are():
    """128 bits a stream: two of 20,000 agree by chance with probability 1e-30."""
    key = Key(1, "blocks", "c")
    states = {tuple(key.sequence(block).generate_state(2, np.uint64).tolist()) for block in NUMBERS}
    assert len(states) == len(NUMBERS)
    drawn = {tuple(key.draws(block, torch.float64).normal(2).tolist()) for block in NUMBERS[::7]}
    assert len(drawn) == len(NUMBERS[::7])


def test_no_two_children_of_a_stream_share_theirs_however_many_there_are():
    """The segments of a layer of 2^36 neurons are 65,536 children."""
    parent = Key(1, "children", "c").draws(0, torch.float64)
    few = NUMBERS[:3000] + NUMBERS[-150:]
    children = [(number, 0) for number in few] + [(0, number) for number in few if number]
    assert len({tuple(parent.child(*name).normal(2).tolist()) for name in children}) == len(children)


def test_children_of_any_two_streams_or_of_two_names_are_different():
    parents = [
        Key(1, "child", "c").draws(0, torch.float32),
        *(Key(1, "child", "d").draws(b, torch.float32) for b in (0, 1)),
    ]
    parents[0].normal(10)
    names = ((0,), (0, 0), (0, 1), (1, 0), (1,))
    drawn = {tuple(parent.child(*name).normal(4).tolist()) for parent in parents for name in names}
    assert len(drawn) == len(parents) * len(names)
    fresh = Key(1, "child", "c").draws(0, torch.float32)
    assert torch.equal(fresh.child(0, 1).normal(4), parents[0].child(0, 1).normal(4))


def test_the_parts_of_a_key_cannot_run_into_one_another():
    sequences = [
        Key(1, "ab", "c"),
        Key(1, "a", "bc"),
        Key(11, "", "abc"),
        Key(1, 'a", "b', "c"),
        Key(1, "1ab", "c"),
    ]
    states = {tuple(key.sequence(0).generate_state(4)) for key in sequences}
    states |= {tuple(sequences[0].sequence(block).generate_state(4)) for block in range(1, 1000)}
    assert len(states) == len(sequences) + 999


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("size", [1_000_000, 15], ids=["one long draw", "draws of 15 and below"])
def test_normals_are_standard_normal(dtype, size):
    """Exact one-sample test on a million draws (torch takes other ways for short tensors): false-fail rate 1e-9. The
    grid of single precision moves the distance by 1e-7, against the 0.0033 that refutes."""
    draws = Key(1, "normals", "c").draws(0, dtype)
    if size == 1_000_000:
        values = draws.normal(1000, 1000)
    else:
        values = torch.cat([draws.normal(1 + i % size) for i in range(20_000)])
    assert values.dtype == dtype
    assert uniform_law_p_value(ndtr(values.double().numpy().ravel())) >= FALSE_FAIL


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_normals_are_independent_of_their_neighbours_and_of_the_other_kinds_of_draws(dtype):
    """Of independent normals x, y the angle is uniform and independent of the length: exact statements on neighbours,
    on places 8 and 16 apart (the strides of torch's vectorised transform), on neighbouring rows, on neighbouring
    blocks and against normal64. Seven statements: false-fail rate 7e-9."""
    draws = Key(2, "neighbours", "c").draws(0, dtype)
    x, other = draws.normal(400, 1000).double(), draws.normal64(400, 1000)
    next_block = Key(2, "neighbours", "c").draws(1, dtype).normal(400, 1000).double()
    pairs = [(x[:, i::32], x[:, i + gap :: 32]) for i, gap in ((0, 1), (1, 1), (0, 8), (0, 16))]
    pairs += [(x[::2], x[1::2]), (x, other), (x, next_block)]
    for first, second in pairs:
        width = min(first.shape[1], second.shape[1])
        angle = torch.atan2(first[:, :width], second[:, :width]) / (2 * np.pi)
        assert uniform_law_p_value(torch.remainder(angle, 1.0).numpy().ravel()) >= FALSE_FAIL


def test_normal64_is_double_and_standard_normal_in_a_block_of_single_precision():
    """False-fail rate 1e-9."""
    values = Key(3, "normal64", "c").draws(0, torch.float32).normal64(100_000)
    assert values.dtype == torch.float64
    assert uniform_law_p_value(ndtr(values.numpy())) >= FALSE_FAIL
    assert (values != values.float().double()).float().mean() > 0.9


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 1000, 10**6])
def test_chi_draws_have_the_chi_law_of_their_degrees(degrees):
    """Squares through the incomplete gamma function: false-fail rate 1e-9 each."""
    values = Key(4, "chi", str(degrees)).draws(0, torch.float32).chi(degrees, 20_000)
    assert values.dtype == torch.float64
    assert uniform_law_p_value(gammainc(degrees / 2, values.numpy() ** 2 / 2)) >= FALSE_FAIL


def test_chi_draws_of_a_trillion_degrees_are_normal_about_their_root():
    """(chi^2 - k)/sqrt(2 k) is normal to about 1/(3 sqrt(k)) = 3e-7 in distribution. False-fail rate 1e-9."""
    k = 10**12 - 1
    values = Key(4, "chi", "large").draws(0, torch.float32).chi(k, 20_000).numpy()
    assert uniform_law_p_value(ndtr((values - np.sqrt(k)) * np.sqrt(2.0))) >= FALSE_FAIL


def test_chi_of_no_degrees_is_zero():
    assert torch.equal(Key(0, "", "").draws(0, torch.float32).chi(0, 3, 1), torch.zeros(3, 1, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_entries_have_the_laws_named_each_with_variance_one(dtype):
    """Gaussian, Student's t of 5 degrees (scaled: its variance is 5/3) and uniform: exact one-sample tests of the laws.
    Random signs: +-1, shares by an exact binomial interval. Four statements, 4e-9."""
    n = 50_000
    draws = {law: Key(5, "entries", law).draws(0, dtype).entries(law, n // 10, 10) for law in ENTRY_LAWS}
    assert all(values.dtype == dtype and values.shape == (n // 10, 10) for values in draws.values())
    gaussian, signs, heavy, even = (draws[law].double().numpy().ravel() for law in ENTRY_LAWS)
    assert uniform_law_p_value(ndtr(gaussian)) >= FALSE_FAIL
    assert set(signs) == {-1.0, 1.0}
    share = clopper_pearson(int((signs > 0).sum()), n, FALSE_FAIL)
    assert share.lower <= 0.5 <= share.upper
    assert uniform_law_p_value(stats.t.cdf(heavy * np.sqrt(5.0 / 3.0), 5)) >= FALSE_FAIL
    assert uniform_law_p_value((even / np.sqrt(3.0) + 1.0) / 2.0) >= FALSE_FAIL


def test_the_controls_are_told_from_the_gaussian_law():
    """Power: the tests above refute each control when it is taken for Gaussian."""
    normal = generator(3).standard_normal(50_000)
    for law in ("rademacher", "student-t", "uniform"):
        values = Key(5, "entries", law).draws(0, torch.float64).entries(law, 50_000).numpy()
        assert same_law_p_value(values, normal) < FALSE_FAIL
        assert uniform_law_p_value(ndtr(values)) < FALSE_FAIL
