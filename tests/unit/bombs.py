"""Much that packs to little, made in a moment."""

import zlib


def deflated(block: bytes, times: int, rest: bytes = b"") -> bytes:
    """Return `block` so many times, and the rest, as a zlib stream that names each block's bytes anew.

    A full flush forgets what came before: the block is packed once, and its packed bytes are repeated.
    """
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(rest) + packer.flush()
    check = 1
    for _ in range(times):
        check = zlib.adler32(block, check)
    return b"\x78\xda" + packed * times + end + zlib.adler32(rest, check).to_bytes(4, "big")
