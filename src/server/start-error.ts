/** Why a node cannot start; its message is for the operator, in one line. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** A port is somebody else's: another one may do. */
export class PortTaken extends StartError {}
