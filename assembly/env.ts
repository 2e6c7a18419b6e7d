// What the engine asks of its host: one call, after linear memory has grown and every view of it went stale.
export declare function grown(): void;
