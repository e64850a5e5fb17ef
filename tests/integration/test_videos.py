"""Exactly the frames that are wanted, of whatever video; and nothing of what is none."""

from __future__ import annotations

import io
import shutil
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import MediaError
from infra.media.images import Frame, Limits
from infra.media.video.apart import probe_apart
from infra.media.video.encoding import video_chunk
from infra.media.video.index import Index
from infra.media.video.opening import Video, VideoLimits
from infra.media.video.probe import probe
from infra.media.video.reading import frames, upright

from ..contract.clips import HEIGHT, WIDTH, number_of, numbered, numbers_of_video, turn, write_clip

FRAMES = 60
CLIPS = {
    "h264.mp4": ("libx264", {"bf": "3", "g": "9", "sc_threshold": "0"}),
    "open-gop.mp4": ("libx264", {"bf": "3", "g": "9", "x264-params": "open-gop=1:keyint=9:min-keyint=9"}),
    "every-frame.mov": ("libx264", {"g": "1"}),
    "one-key.mkv": ("libx264", {"bf": "2", "g": "1000"}),
    "h265.mp4": ("libx265", {"x265-params": "log-level=none:keyint=8:bframes=3"}),
    "mpeg4.avi": ("mpeg4", {"bf": "2", "g": "9"}),
    "out-of-order.avi": ("libx264", {"bf": "3", "g": "9"}),
    "vp8.webm": ("libvpx", {"auto-alt-ref": "1", "lag-in-frames": "12", "deadline": "realtime", "g": "9"}),
    "vp9.webm": ("libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "12", "deadline": "realtime", "g": "9"}),
    "av1.mkv": ("libsvtav1", {"preset": "12", "g": "9", "svtav1-params": "lp=1"}),
}
SOUGHT = st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=6, unique=True).map(sorted)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, (codec, options) in CLIPS.items():
        write_clip(folder / name, FRAMES, codec, **options)
    return folder


@pytest.fixture(scope="module", params=CLIPS)
def clip(request: pytest.FixtureRequest, clips: Path) -> Video:
    return Frame(clips / request.param, request.param)


@pytest.fixture(scope="module")
def index(clip: Video) -> Index:
    return probe(clip).index


def read(video: Video, index: Index, numbers: list[int]) -> list[int]:
    return [number_of(upright(frame)) for frame in frames(video, index, numbers)]


def test_every_frame_is_counted(clip: Video, index: Index) -> None:
    assert len(index) == FRAMES
    assert read(clip, index, list(range(FRAMES))) == list(range(FRAMES))


def test_any_frames_are_found(clip: Video, index: Index) -> None:
    @settings(max_examples=15, deadline=None)
    @given(numbers=SOUGHT)
    def check(numbers: list[int]) -> None:
        assert read(clip, index, numbers) == numbers

    check()


def test_frames_are_found_without_decoding_all_before_them(
    clip: Video, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    if clip.name == "out-of-order.avi":
        pytest.skip("its time stamps lead nowhere")
    monkeypatch.setattr("infra.media.video.reading._counted", lambda *_: pytest.fail("it was decoded from the start"))
    for number in range(FRAMES):
        assert read(clip, index, [number]) == [number]


def test_an_index_survives_being_kept(clip: Video, index: Index) -> None:
    kept = Index.load(index.dump())
    assert (kept.times.tolist(), kept.keys.tolist()) == (index.times.tolist(), index.keys.tolist())
    assert index.dump() == kept.dump()


def test_an_index_of_a_long_video_is_small() -> None:
    index = Index.of(list(range(0, 512_000_000, 512)), list(range(0, 1_000_000, 250)))
    assert len(index.dump()) < 40_000


def test_frames_are_found_without_time_stamps_that_order_them(clips: Path) -> None:
    """As in files whose time stamps are all the same, or missing."""
    video = Frame(clips / "h264.mp4", "h264.mp4")
    assert read(video, Index.of([0] * FRAMES, [0]), [3, 40, 59]) == [3, 40, 59]


def test_the_same_time_stamp_twice_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "twice.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv420p", {"g": "5"}
        for number in range(FRAMES):
            for packet in stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")):
                packet.pts = packet.dts = packet.pts - (number % 7 == 3)
                container.mux(packet)
    video = Frame(path, "twice.mkv")
    index = probe(video).index
    assert 0 < (np.diff(index.times) == 0).sum() < FRAMES / 5
    assert len(index.keys) > FRAMES / 10
    assert read(video, index, [3, 4, 31, 32, 59]) == [3, 4, 31, 32, 59]


def test_a_key_frame_that_its_time_does_not_tell_apart_is_no_place_to_begin() -> None:
    assert Index.of([0, 1, 2, 2, 3, 9, 5, 10], range(8)).keys.tolist() == [0, 1, 4, 7]
    assert Index.of([0, 0, 0], [0, 2]).keys.tolist() == []


def test_frames_that_seeking_does_not_find_are_counted(clips: Path) -> None:
    video = Frame(clips / "h264.mp4", "h264.mp4")
    index = probe(video).index
    shifted = Index(index.times + 1, index.keys)
    assert read(video, shifted, [5, 41]) == [5, 41]


def test_frames_of_uneven_length(tmp_path: Path) -> None:
    path = tmp_path / "uneven.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv420p", {"g": "7"}
        stream.codec_context.time_base = Fraction(1, 1_000)
        for number in range(30):
            picture = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            picture.pts, picture.time_base = number**2, Fraction(1, 1_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    video = Frame(path, "uneven.mp4")
    assert read(video, probe(video).index, [0, 11, 29]) == [0, 11, 29]


def test_a_cover_picture_and_sound_are_no_frames(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        sound, stream = container.add_stream("aac", rate=8_000), container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 8_000
        container.mux(sound.encode(silence))
        for stream_ in (stream, sound):
            container.mux(stream_.encode(None))
    assert probe(Frame(path, "sound.mp4")).frames == 5


def test_without_a_video_stream(tmp_path: Path) -> None:
    path = tmp_path / "only-sound.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 8_000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    with pytest.raises(MediaError, match=r"only-sound\.mp4 has no video stream"):
        probe(Frame(path, "only-sound.mp4"))


def test_a_turned_video(tmp_path: Path) -> None:
    video = Frame(turn(write_clip(tmp_path / "phone.mp4", 20, g="5")), "phone.mp4")
    info = probe(video)
    assert (info.width, info.height) == (HEIGHT, WIDTH)
    for frame in frames(video, info.index, [0, 13]):
        assert upright(frame).size == (HEIGHT, WIDTH)


@pytest.mark.parametrize("quality", [1, 50, 100])
def test_a_chunk_is_a_video_that_the_web_ui_decodes(clips: Path, quality: int) -> None:
    video = Frame(clips / "h264.mp4", "h264.mp4")
    out = io.BytesIO()
    video_chunk(frames(video, probe(video).index, range(10, 46)), quality, out)
    with av.open(io.BytesIO(out.getvalue())) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.profile, codec.pix_fmt, codec.has_b_frames) == (
            "h264",
            "Constrained Baseline",
            "yuv420p",
            False,
        )
    assert numbers_of_video(out.getvalue()) == list(range(10, 46))


def test_better_quality_takes_more_bytes(clips: Path) -> None:
    video = Frame(clips / "h264.mp4", "h264.mp4")
    index, sizes = probe(video).index, []
    for quality in (10, 60, 100):
        out = io.BytesIO()
        video_chunk(frames(video, index, range(36)), quality, out)
        sizes.append(len(out.getvalue()))
    assert sizes == sorted(set(sizes))


def test_odd_sizes_become_even(tmp_path: Path) -> None:
    path = tmp_path / "odd.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 33, 21, "yuv444p"
        picture = av.VideoFrame.from_ndarray(np.full((21, 33, 3), 200, np.uint8), format="rgb24")
        container.mux([*stream.encode(picture), *stream.encode(None)])
    video, out = Frame(path, "odd.mkv"), io.BytesIO()
    info = probe(video)
    assert (info.width, info.height) == (33, 21)
    video_chunk(frames(video, info.index, [0]), 70, out)
    with av.open(io.BytesIO(out.getvalue())) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (34, 22)


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_what_is_cut_off_is_refused(clip: Video, tmp_path: Path, part: float) -> None:
    content = clip.path.read_bytes()
    cut = tmp_path / clip.name
    cut.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(MediaError, match=clip.name):
        probe(Frame(cut, clip.name))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1a\x45\xdf\xa3",
        b"RIFF\xff\xff\xff\xffAVI ",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>",
        b"GIF89a" + bytes(100),
        bytes(5_000),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"odd\.mp4 is"):
        probe(Frame(path, "odd.mp4"))


def test_whatever_is_accepted_can_be_read(clip: Video, tmp_path: Path) -> None:
    """A decoder conceals much. What it makes of a damaged file once, it must make of it again."""
    content, path = clip.path.read_bytes(), tmp_path / clip.name
    changes = st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=20)

    @settings(max_examples=30, deadline=None)
    @given(changes=changes, picks=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=4))
    def check(changes: list[tuple[int, int]], picks: list[float]) -> None:
        damaged = bytearray(content)
        for position, value in changes:
            damaged[position] = value
        path.write_bytes(damaged)
        video = Frame(path, clip.name)
        try:
            info = probe(video, VideoLimits(seconds=20))
        except MediaError as error:
            assert error.message.startswith(clip.name)  # noqa: PT017
            return
        numbers = sorted({int(pick * info.frames) for pick in picks})
        sizes = [upright(frame).size for frame in frames(video, info.index, numbers)]
        assert sizes == [(info.width, info.height)] * len(numbers)

    check()


def test_looking_through_a_video_apart_gives_the_same(clip: Video, index: Index) -> None:
    info = probe_apart(clip, VideoLimits())
    assert (info.width, info.height, info.index.dump()) == (WIDTH, HEIGHT, index.dump())


def test_what_is_refused_apart_is_named(clips: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes((clips / "h264.mp4").read_bytes()[:-500])
    with pytest.raises(MediaError, match=r"^cüt\.mp4 is incomplete"):
        probe_apart(Frame(path, "cüt.mp4"), VideoLimits())
    with pytest.raises(RuntimeError, match="No such file"):
        probe_apart(Frame(tmp_path / "gone.mp4", "gone.mp4"), VideoLimits())


@pytest.mark.parametrize(
    ("crash", "seconds", "message"),
    [("kill -SEGV $$", 60.0, "brings the decoder down"), ("exec sleep 60", 0.1, "takes longer")],
)
def test_a_decoder_that_dies_or_hangs_is_the_files_fault(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash: str, seconds: float, message: str
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{crash}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    monkeypatch.setattr("infra.media.video.apart._GRACE", 0.2)
    with pytest.raises(MediaError, match=rf"h264\.mp4 .*{message}"):
        probe_apart(Frame(clips / "h264.mp4", "h264.mp4"), VideoLimits(seconds=seconds))


def test_limits(clips: Path) -> None:
    video = Frame(clips / "h264.mp4", "h264.mp4")
    for limits, message in (
        (VideoLimits(Limits(pixels=1_000)), "has 15,360 pixels; at most 1,000"),
        (VideoLimits(Limits(side=100)), "is 160 x 96 pixels; at most 100 a side"),
        (VideoLimits(seconds=0), "takes longer than 0 seconds"),
        (VideoLimits(frames=10), "has more than 10 frames"),
    ):
        with pytest.raises(MediaError, match=message):
            probe(video, limits)


def test_errors_of_the_operating_system_are_not_the_owners_fault(clips: Path, tmp_path: Path) -> None:
    path = shutil.copy(clips / "h264.mp4", tmp_path)
    video = Frame(Path(path), "h264.mp4")
    index = probe(video).index
    video.path.unlink()
    with pytest.raises(FileNotFoundError):
        list(frames(video, index, [0]))


def test_many_readers_at_once(clips: Path) -> None:
    video = Frame(clips / "h264.mp4", "h264.mp4")
    index = probe(video).index
    found: dict[int, list[int]] = {}

    def look(first: int) -> None:
        found[first] = read(video, index, list(range(first, first + 10)))

    threads = [threading.Thread(target=look, args=(first,)) for first in range(0, FRAMES, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {first: list(range(first, first + 10)) for first in range(0, FRAMES, 10)}
