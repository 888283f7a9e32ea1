"""Reads named float arrays out of a shared library as data; nothing of the library is loaded or run."""

import struct

import numpy as np
import numpy.typing as npt

_SHT_PROGBITS = 1
_SHT_DYNSYM = 11
_SYMBOL_BYTES = 24


def float_symbols(library: bytes, suffixes: tuple[str, ...]) -> dict[str, npt.NDArray[np.float32]]:
    """Returns the float32 arrays (flat) of all exported data symbols whose names end in one of `suffixes`.

    Layout: System V ABI, "ELF-64 Object File Format" (header, section headers, symbol table).

    Raises:
        ValueError: `library` is not a 64-bit little-endian ELF file with a dynamic symbol table.
    """
    if library[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (section_table,) = struct.unpack_from("<Q", library, 40)
    entry_bytes, section_count = struct.unpack_from("<HH", library, 58)
    # name, type, flags, address, offset, size, link, info, alignment, entry size
    sections = [
        struct.unpack_from("<IIQQQQIIQQ", library, section_table + i * entry_bytes) for i in range(section_count)
    ]
    symbols = next((s for s in sections if s[1] == _SHT_DYNSYM), None)
    if symbols is None:
        raise ValueError("no dynamic symbol table in the ELF file")
    names_offset = sections[symbols[6]][4]
    found: dict[str, npt.NDArray[np.float32]] = {}
    for offset in range(symbols[4], symbols[4] + symbols[5], _SYMBOL_BYTES):
        name_at, _info, _other, section_index, address, size = struct.unpack_from("<IBBHQQ", library, offset)
        if section_index == 0 or section_index >= section_count or size == 0:
            continue  # imported or absolute: no bytes of its own in this file
        _, kind, _, section_address, section_offset, *_ = sections[section_index]
        start = names_offset + name_at
        name = library[start : library.index(b"\0", start)].decode("ascii", "replace")
        if kind == _SHT_PROGBITS and name.endswith(suffixes):
            begin = address - section_address + section_offset
            found[name] = np.frombuffer(library[begin : begin + size], "<f4")
    return found
