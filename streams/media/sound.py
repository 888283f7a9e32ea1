"""Encodes the sound of a window as AAC, as long as the window to the sample, with silence where the source has none."""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.filter import Graph

from streams.media.window import AnyPacket

MAX_RATE_HZ = 48_000
RATES_HZ = frozenset({16_000, 22_050, 24_000, 32_000, 44_100, 48_000})
BITS_PER_S_AND_CHANNEL = 80_000


class SoundEncoder:
    """Takes packets of the source's sound, gives packets of the clip's.

    The clip's time 0 is ``start_s`` on the source stream's clock. More than two channels are mixed down to two, since
    phones and browsers play those everywhere.
    """

    def __init__(self, source: AudioStream, output: OutputContainer, start_s: Fraction, end_s: Fraction) -> None:
        rate = source.rate if source.rate in RATES_HZ else MAX_RATE_HZ
        layout = "mono" if source.layout.nb_channels == 1 else "stereo"
        self._source = source
        self._stream: AudioStream = output.add_stream("aac", rate=rate, layout=layout)
        self._stream.bit_rate = BITS_PER_S_AND_CHANNEL * self._stream.layout.nb_channels
        self._stream.codec_context.flags |= Flags.bitexact
        self._graph = _window_graph(source, rate, layout, start_s, end_s)

    @property
    def stream(self) -> AudioStream:
        """The output's stream."""
        return self._stream

    def encode(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Takes one packet; damaged ones are left out and become silence."""
        try:
            frames = self._source.decode(packet)
        except av.error.InvalidDataError:
            return
        for frame in frames:
            if frame.pts is not None:
                self._graph.push(frame)
                yield from self._drain()

    def finish(self) -> Iterator[AnyPacket]:
        """Gives what is left."""
        self._graph.push(None)
        yield from self._drain()
        yield from self._stream.encode(None)

    def _drain(self) -> Iterator[AnyPacket]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if isinstance(frame, AudioFrame):
                yield from self._stream.encode(frame)


def _window_graph(source: AudioStream, rate: int, layout: str, start_s: Fraction, end_s: Fraction) -> Graph:
    graph = Graph()
    length_s = float(end_s - start_s)
    graph.link_nodes(
        graph.add_abuffer(template=source),
        graph.add("atrim", f"start={float(start_s):.6f}:end={float(end_s):.6f}"),
        graph.add("asetpts", f"PTS-{float(start_s):.6f}/TB"),
        # Fills holes, and the time before a late first sample, with silence.
        graph.add("aresample", f"{rate}:async=1:first_pts=0"),
        graph.add("aformat", f"sample_fmts=fltp:sample_rates={rate}:channel_layouts={layout}"),
        graph.add("apad", f"whole_dur={length_s:.6f}"),
        graph.add("abuffersink"),
    ).configure()
    return graph
