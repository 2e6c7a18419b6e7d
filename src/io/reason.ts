// What an exception says: the system's error codes in the words operators know, everything else by its message.

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  EPERM: "Operation not permitted",
  EIO: "Input/output error",
  EMFILE: "Too many open files",
  ENOSPC: "No space left on device",
  EDQUOT: "Disk quota exceeded",
  ENFILE: "Too many open files in system",
  EROFS: "Read-only file system",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
};

/** The system's code, as `EADDRINUSE`; empty when the system did not refuse anything. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

export function reasonOf(error: unknown): string {
  return WORDS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}
