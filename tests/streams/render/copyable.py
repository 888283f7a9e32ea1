"""A source whose packets may be copied into a clip."""

from streams.media.facts import StreamFacts

PLAIN = StreamFacts(
    container="mov,mp4,m4a,3gp,3g2,mj2",
    video_codec="h264",
    video_tag="avc1",
    pix_fmt="yuv420p",
    interlaced=False,
    h264_profile=100,
    audio_codec="aac",
)
