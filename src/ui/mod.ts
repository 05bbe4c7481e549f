/**
 * The dashboard: see every execution, understand any failure in ten seconds.
 *
 * @module
 */

export { dashboard, type DashboardHandler } from "./dashboard.ts";
export type { DashboardOptions } from "./options.ts";
export { type DashboardServer, serveDashboard, type ServeOptions } from "./serve.ts";
