"""Faults in how trials are run: layers held by segments, blocks on a device, blocks from workers, fast products.

Only MW-5.settles has a layer wider than a segment, at nightly effort; checks run on the CPU and the serial engine
unless told otherwise: tests stand for them.
"""

from __future__ import annotations

from typing import Any

from planting import Mutant, edited, wrapped

SEGMENTS = "tests/networks/test_segmented_layers.py::"
LAW = f"{SEGMENTS}test_networks_of_segments_have_the_law_of_ordinary_ones"
OWN = f"{SEGMENTS}test_each_vector_and_each_segment_has_draws_of_its_own"
IN_PLACE = f"{SEGMENTS}test_what_is_done_in_place_leaves_the_draws_as_they_were"
DEVICES = "tests/sampling/test_devices.py::"
DEVICE_LAW = f"{DEVICES}test_a_block_on_a_device_has_the_law_of_one_on_the_cpu"
AHEAD = "tests/sampling/engines/test_prefetch.py::"
INNER = "tests/networks/test_inner_products.py::test_inner_products_are_within_rounding_of_exact_sums"
AGAIN = "tests/networks/test_randomness.py::test_children_of_any_two_streams_or_of_two_names_are_different"
ENTRIES = "signflip.networks.segmented:SegmentedCoordinates.entries"
ORDERED = "signflip.sampling.engines.prefetch:ordered"

TOO_WIDE = "no check has a layer wider than a segment, 2^20 neurons, but MW-5.settles at nightly effort."
NO_GPU = "checks run on a device only where one is asked for."
NO_ENGINE = "checks run on the serial engine unless another is asked for; every engine is held to give its bytes."


def _one_seed(made: Any) -> Any:
    def init(self: Any, *given: Any) -> None:
        made(self, *given)
        self._generator.manual_seed(7)

    return init


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "segments: one number for all vectors",
        "All vectors of a wide network have the same draws.",
        edited("signflip.networks.segmented:Segmentation.next", "self.last += 1", "pass"),
        (OWN, LAW),
        TOO_WIDE,
    ),
    Mutant(
        "segments: all of a vector the same",
        "Every segment of a vector has the draws of the first.",
        edited(ENTRIES, "child(number, segment)", "child(number, 0)"),
        (OWN,),
        TOO_WIDE,
    ),
    Mutant(
        "segments: the last one forgotten",
        "What remains of a layer beyond its last whole segment is not read.",
        edited(
            "signflip.networks.segmented:Segmented.reads",
            "-(-self.shape[1] // self.size_of_segment)",
            "self.shape[1] // self.size_of_segment",
        ),
        (LAW,),
        TOO_WIDE,
    ),
    Mutant(
        "segments: variance 1",
        "Draws of a wide layer forget their scale factor.",
        edited(ENTRIES, ", deviation=deviation)", ")"),
        (LAW,),
        TOO_WIDE,
    ),
    Mutant(
        "segments: the last one for the sum",
        "An inner product of wide vectors is that of their last segments.",
        edited("signflip.networks.segmented:Segmented.segments_inner", "total += inner", "total = 1.0 * inner"),
        (LAW,),
        TOO_WIDE,
    ),
    Mutant(
        "segments: in place where draws are kept",
        "What is done in place to a wide vector is done to the draws that others read.",
        edited("signflip.networks.segmented:Segmented.__torch_dispatch__", "first.clone()", "first"),
        (IN_PLACE,),
        TOO_WIDE,
    ),
    Mutant(
        "streams: children without their parents' names",
        "A vector's stream is named by its own numbers, not by its block's: blocks share their draws.",
        edited("signflip.networks.randomness:Draws.child", "(*self._sequence.spawn_key, *numbers)", "numbers"),
        (AGAIN,),
        TOO_WIDE,
    ),
    Mutant(
        "device: one stream for all blocks",
        "The generator of a device is seeded with the same number for each block.",
        wrapped("signflip.networks.randomness:DeviceDraws.__init__", _one_seed),
        (f"{DEVICES}test_device_draws_are_a_function_of_their_key",),
        NO_GPU,
    ),
    Mutant(
        "device: variance 1",
        "Normals made on a device forget their scale factor.",
        edited("signflip.networks.randomness:DeviceDraws.normal", "0.0, deviation,", "0.0, 1.0,"),
        (DEVICE_LAW,),
        NO_GPU,
    ),
    Mutant(
        "device: twice the memory",
        "A block may take all of a device's memory.",
        edited("signflip.sampling.devices:entries_within", "2 * 8", "8"),
        (f"{DEVICES}test_a_block_takes_half_of_the_devices_memory_at_most",),
        NO_GPU,
    ),
    Mutant(
        "device: other blocks at infinite width",
        "Trials of the infinite-width law, which stay on the CPU, depend on the device.",
        edited("signflip.sampling.devices:Device.block_trials", ' or configuration.law == "infinite-width"', ""),
        (f"{DEVICES}test_blocks_grow_with_the_device_and_do_not_depend_on_anything_else",),
        NO_GPU,
    ),
    Mutant(
        "engine: ranges out of order",
        "The range that was sent last is taken for the next.",
        edited(ORDERED, "pending.popleft()", "pending.pop()"),
        (f"{AHEAD}test_blocks_come_once_each_and_in_order",),
        NO_ENGINE,
    ),
    Mutant(
        "engine: a lost range without its first block",
        "What is sent again begins a block late.",
        edited(ORDERED, "_Range(start, stop, send(start, stop))", "_Range(start, stop, send(start + 1, stop))"),
        (f"{AHEAD}test_what_is_lost_is_sent_again_all_at_once",),
        NO_ENGINE,
    ),
    Mutant(
        "engine: an error swallowed",
        "A block that raised is left out, and the next ones are given.",
        edited(ORDERED, "outcome.error is not None", "False"),
        (f"{AHEAD}test_an_error_comes_after_all_blocks_before_it",),
        NO_ENGINE,
    ),
    Mutant(
        "engine: no limit ahead",
        "Workers run blocks that nobody will want.",
        edited(ORDERED, "sent < limit and ", ""),
        (f"{AHEAD}test_nothing_beyond_the_limit_is_run_ahead",),
        NO_ENGINE,
    ),
    Mutant(
        "engine: nothing cancelled",
        "Ranges run on when their reader has stopped.",
        edited(ORDERED, "unread.future.cancel()", "pass"),
        (f"{AHEAD}test_a_reader_that_stops_leaves_little_and_that_is_cancelled",),
        NO_ENGINE,
    ),
    Mutant(
        "products: half precision",
        "Inner products of blocks are those of the vectors in float16.",
        wrapped(
            "signflip.networks.products:inner",
            lambda inner: lambda *two: inner(*(one.half().to(one.dtype) for one in two)),
        ),
        (INNER, "MW-4.joint-law.small"),
        "a relative rounding of 5e-4, far below the KS distance of 0.035 that MW-4.joint-law detects; seen where "
        "numbers are too large for float16.",
    ),
)
