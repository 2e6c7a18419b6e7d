/** The level of Redis this server is compatible with: what HELLO, INFO and RDB files name as its version. */
export const REDIS_VERSION = "7.0.15";
