import manifest from "../../package.json" with { type: "json" };

/** The version of slotmesh. */
export const VERSION: string = manifest.version;
