/**
 * Whether an address can be reached from this machine only.
 *
 * @module
 */

/** Whether an IP address is a loopback address: of 127.0.0.0/8, as IPv6 writes those too, or ::1. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/i.test(address);
}
