// The zipmap, in which Redis kept small hashes before version 2.6. Read only, from bytes of any kind.
//
//   | count u8, 254 = many | length, field, length, free u8, value, `free` unused bytes | ... | 0xFF |
//   length: u8 below 254, or 254 and u32
const END: u32 = 0xff;
const FAR: u32 = 254;

let at: usize = 0;
let end: usize = 0;
/** The field and value `nextInZipmap` found. */
export let zipmapField: usize = 0;
export let zipmapFieldLength: u32 = 0;
export let zipmapValue: usize = 0;
export let zipmapValueLength: u32 = 0;
/** Whether all was as it should be, once `nextInZipmap` has found no more. */
export let zipmapIsWhole: bool = false;

export function beginZipmap(ptr: usize, bytes: u32): bool {
  zipmapIsWhole = false;
  if (bytes < 2 || load<u8>(ptr + bytes - 1) != END) return false;
  at = ptr + 1;
  end = ptr + bytes - 1;
  return true;
}

/** False = no more, or what follows is damaged: `zipmapIsWhole` tells. */
export function nextInZipmap(): bool {
  if (at == end) {
    zipmapIsWhole = true;
    return false;
  }
  if (!readLength(0)) return false;
  zipmapField = at;
  zipmapFieldLength = length;
  at += length;
  if (!readLength(1)) return false;
  const unused = <u32>load<u8>(at);
  zipmapValue = at + 1;
  zipmapValueLength = length;
  if (<u64>length + unused + 1 > <u64>(end - at)) return false;
  at += length + unused + 1;
  return true;
}

let length: u32 = 0;

/** Reads a length that so many bytes and `more` follow at least. */
function readLength(more: u32): bool {
  const first = <u32>load<u8>(at);
  const size: u32 = first == FAR ? 5 : 1;
  if (first == END || size > <u32>(end - at)) return false;
  length = first == FAR ? load<u32>(at, 1) : first;
  at += size;
  return <u64>length + more <= <u64>(end - at);
}
