// Preloaded by the groups of tests that run on the debug engine: in this process, and in the servers they start.
import { chooseEngine } from "../../src/engine/binary.ts";

chooseEngine("debug");
process.env["SLOTMESH_TEST_ENGINE"] = "debug";
