// The debug engine: all of the engine with its assertions on, and checks of what it holds. The release build has
// neither: `assert` leaves nothing behind there, and nothing outside this folder imports it.
export * from "../index";
export { checkAll, checkKey, checkRequest, checkSome } from "./check";
