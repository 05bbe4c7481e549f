/**
 * How graphs look; used in pages, and in pictures of their own.
 *
 * @module
 */

/** The style of graphs. */
export const GRAPH_STYLE = `
.graph{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color:var(--ink)}
.graph .edge{fill:none;stroke:var(--edge);stroke-width:1.5}
.graph .edge.timeout{stroke-dasharray:5 4}
.graph .edge.taken{stroke:var(--accent);stroke-width:2.5}
.graph #arrow path{fill:var(--edge)}
.graph #arrow-taken path{fill:var(--accent)}
.graph .label{font-size:11px;fill:var(--soft);text-anchor:middle;paint-order:stroke;stroke:var(--panel);stroke-width:5px;stroke-linejoin:round}
.graph .node>rect{fill:var(--panel);stroke:var(--strong);stroke-width:1.25}
.graph .node .name{font-weight:600;fill:var(--ink)}
.graph .node .note{font-size:11px;fill:var(--soft)}
.graph .icon *{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.graph.marked .node:not([class*="is-"])>rect,.graph .node.is-idle>rect{fill:var(--raised);stroke:var(--line)}
.graph .node.is-idle .name{fill:var(--soft);font-weight:500}
${["running", "waiting", "completed", "failed", "cancelled"].map(statusStyle).join("\n")}
.graph .node.is-running>rect,.graph .node.is-waiting>rect,.graph .node.is-failed>rect{stroke-width:2.25}
.graph a.node{cursor:pointer}
.graph a.node:hover>rect{stroke:var(--accent);stroke-width:2}
.graph a.node:focus-visible{outline:none}
.graph a.node:focus-visible>rect{stroke:var(--focus);stroke-width:3}
`;

function statusStyle(status: string): string {
  const node = `.graph .node.is-${status}`;
  return `${node}>rect{fill:var(--${status}-bg);stroke:var(--${status}-fill)}` +
    `${node} .note{fill:var(--${status})}${node} .icon *{stroke:var(--${status})}`;
}
