/** Why a node cannot start; its message is for the operator, in one line. */
export class StartError extends Error {
  override readonly name = "StartError";
}
