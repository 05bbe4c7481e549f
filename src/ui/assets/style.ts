/**
 * The style sheet of the pages.
 *
 * @module
 */

import { GRAPH_STYLE } from "./graph_style.ts";
import { PALETTE } from "./palette.ts";

const BASE = `
*,*::before,*::after{box-sizing:border-box}
html{scroll-padding-top:64px;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
h1,h2,h3,p,ul,ol,dl,dd,pre,figure{margin:0;padding:0}
ul,ol{list-style:none}
h1{font-size:20px;line-height:1.3;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
.card h2{font-size:14px}
h2{font-size:13px;font-weight:600;letter-spacing:.01em}
h3{font-size:13px;font-weight:600}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
.empty a,.verdict a,.note a,p a{text-decoration:underline;text-underline-offset:2px}
.crumbs a{text-decoration:none}.crumbs a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:4px}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:12.5px}
.soft{color:var(--soft)}
.small{font-size:12.5px}
.nowrap{white-space:nowrap}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:12px;top:-60px;background:var(--panel);padding:8px 14px;border-radius:8px;z-index:10;border:1px solid var(--strong)}
.skip:focus{top:10px}
`;

const SHELL = `
.bar{position:sticky;top:0;z-index:5;display:flex;align-items:center;gap:6px 18px;flex-wrap:wrap;padding:0 24px;min-height:52px;background:var(--panel);border-bottom:1px solid var(--line)}
.brand{display:inline-flex;align-items:center;gap:9px;font-weight:650;font-size:15px;color:var(--ink);letter-spacing:-.01em}
.brand:hover{text-decoration:none}
.brand svg{width:22px;height:22px}
.chip{display:inline-block;padding:1px 8px;border:1px solid var(--line);border-radius:99px;color:var(--soft);font-size:12px;max-width:220px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.bar nav{flex:1;min-width:0}
.bar nav ul{display:flex;gap:2px;overflow-x:auto;scrollbar-width:none}
.bar nav a{display:block;padding:15px 11px 13px;color:var(--soft);border-bottom:2px solid transparent;white-space:nowrap;font-weight:500}
.bar nav a:focus-visible{outline-offset:-3px}
.bar nav a:hover{color:var(--ink);text-decoration:none}
.bar nav a[aria-current]{color:var(--ink);border-color:var(--accent)}
.live{display:inline-flex;align-items:center;gap:7px;color:var(--soft);font-size:12.5px;min-width:64px}
.live::before{content:"";width:8px;height:8px;border-radius:50%;background:var(--strong)}
.live.on::before{background:var(--completed-fill)}
.live.off::before{background:var(--waiting-fill)}
main{max-width:1480px;margin:0 auto;padding:22px 24px 64px;display:grid;gap:18px;grid-template-columns:minmax(0,1fr)}
main:focus{outline:none}
.head{display:flex;flex-wrap:wrap;align-items:center;gap:8px 14px}
.head .grow{flex:1}
.crumbs{font-size:12.5px;color:var(--soft);width:100%;margin-bottom:-4px}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:10px;min-width:0;overflow:clip}
.panel>header{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px;padding:11px 16px;border-bottom:1px solid var(--line);min-height:44px}
.panel>header .grow{flex:1}
.panel .body{padding:14px 16px}
.columns{display:grid;gap:18px;grid-template-columns:minmax(0,1fr)}
.foot{padding:10px 16px;border-top:1px solid var(--line);color:var(--soft);font-size:12.5px;display:flex;gap:8px 16px;flex-wrap:wrap;align-items:center}
.foot .grow{flex:1}
`;

const PIECES = `
.badge{display:inline-flex;align-items:center;gap:6px;padding:1px 9px 1px 7px;border-radius:99px;font-size:12px;font-weight:600;line-height:20px;white-space:nowrap;text-transform:none}
.badge::before{content:"";width:7px;height:7px;border-radius:50%;background:currentColor}
.badge.running{color:var(--running);background:var(--running-bg)}
.badge.waiting{color:var(--waiting);background:var(--waiting-bg)}
.badge.completed{color:var(--completed);background:var(--completed-bg)}
.badge.failed{color:var(--failed);background:var(--failed-bg)}
.badge.cancelled{color:var(--cancelled);background:var(--cancelled-bg)}
.badge.running::before{border-radius:50%;animation:pulse 1.8s ease-in-out infinite}
.badge.waiting::before{border-radius:2px}
.badge.failed::before{clip-path:polygon(50% 0,100% 100%,0 100%)}
.badge.cancelled::before{height:2px;border-radius:1px}
@keyframes pulse{50%{opacity:.35}}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
.tiles{display:grid;gap:12px;grid-template-columns:repeat(5,minmax(0,1fr))}
.tile{display:block;padding:13px 16px 12px;background:var(--panel);border:1px solid var(--line);border-radius:10px;color:var(--ink);border-top:3px solid var(--tone)}
.tile:hover{text-decoration:none;border-color:var(--strong);border-top-color:var(--tone)}
.tile b{display:block;font-size:25px;line-height:1.25;font-weight:620;letter-spacing:-.02em}
.tile span{color:var(--soft);font-size:12.5px}
.tile.running{--tone:var(--running-fill)}.tile.waiting{--tone:var(--waiting-fill)}.tile.completed{--tone:var(--completed-fill)}.tile.failed{--tone:var(--failed-fill)}.tile.cancelled{--tone:var(--cancelled-fill)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
caption{text-align:left}
th{text-align:left;font-size:12px;font-weight:550;color:var(--soft);padding:8px 12px;border-bottom:1px solid var(--line);white-space:nowrap;background:var(--raised)}
td{padding:8px 12px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
td:not(.num){min-width:104px}
td:first-child{overflow-wrap:break-word}
a[data-row]{display:inline-block;max-width:min(38ch,100%);overflow:hidden;text-overflow:ellipsis;white-space:nowrap;vertical-align:bottom}
td>a[data-row]{max-width:38ch}
.columns td>a[data-row]{max-width:22ch}
tr:last-child td{border-bottom:0}
th:first-child,td:first-child{padding-left:16px}
th:last-child,td:last-child{padding-right:16px}
tbody tr:hover td{background:var(--raised)}
tbody tr.at td{background:var(--accent-bg)}
.num{text-align:right;white-space:nowrap}
td.zero{color:var(--soft);opacity:1}
td.error{color:var(--failed)}
td.reason{max-width:min(520px,40vw)}
.columns td.reason{max-width:200px}
td .clip,.clip{display:block;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-width:100%}
.empty{padding:34px 20px;text-align:center;color:var(--soft)}
.empty b{display:block;color:var(--ink);font-weight:600;margin-bottom:3px}
.empty code{background:var(--raised);border:1px solid var(--line);border-radius:5px;padding:1px 6px}
button,.button{font:inherit;font-weight:550;display:inline-flex;align-items:center;gap:6px;padding:5px 12px;border-radius:7px;border:1px solid var(--strong);background:var(--panel);color:var(--ink);cursor:pointer}
button:hover,.button:hover{background:var(--raised);text-decoration:none}
.primary{background:var(--accent);border-color:var(--accent);color:var(--panel)}
.primary:hover{background:var(--accent);filter:brightness(1.08)}
.danger{color:var(--failed);border-color:var(--failed-fill)}
button.quiet,.quiet{padding:2px 8px;font-size:12px;border-color:var(--line);color:var(--soft)}
input,select,textarea{font:inherit;font-size:14px;font-weight:400;color:var(--ink);background:var(--panel);border:1px solid var(--strong);border-radius:7px;padding:5px 9px;min-width:0;max-width:100%}
textarea{width:100%;min-height:180px;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px;line-height:1.5}
label{display:grid;gap:3px;font-size:12px;color:var(--soft);font-weight:550}
.filters{display:flex;flex-wrap:wrap;gap:10px 12px;align-items:end;padding:12px 16px}
.filters label{flex:1 1 130px;max-width:230px}
.filters label input,.filters label select{width:100%;height:34px}
.filters button,.filters .button{height:34px;font-size:14px;padding:5px 12px}
.tabs{display:flex;gap:4px;flex-wrap:wrap}
.tabs a{padding:4px 11px;border-radius:99px;color:var(--soft);font-weight:550;border:1px solid transparent}
.tabs a:hover{background:var(--raised);text-decoration:none}
.tabs a[aria-current]{color:var(--ink);background:var(--panel);border-color:var(--strong)}
.form{display:grid;gap:14px;max-width:640px}
.form .row{display:flex;gap:10px;flex-wrap:wrap}
.note{padding:10px 14px;border-radius:8px;border:1px solid var(--line);background:var(--raised)}
.note.inset{margin:12px 14px 0}
`;

const EXECUTION = `
.verdict{border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:10px;background:var(--tone-bg);padding:14px 18px;display:grid;gap:6px}
.verdict h2{font-size:15px;font-weight:650;color:var(--tone-ink);letter-spacing:-.005em}
.verdict pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px;color:var(--ink);max-height:220px;overflow:auto}
.verdict .facts{color:var(--ink)}
.verdict.running{--tone:var(--running-fill);--tone-bg:var(--running-bg);--tone-ink:var(--running)}
.verdict.waiting{--tone:var(--waiting-fill);--tone-bg:var(--waiting-bg);--tone-ink:var(--waiting)}
.verdict.completed{--tone:var(--completed-fill);--tone-bg:var(--completed-bg);--tone-ink:var(--completed)}
.verdict.failed{--tone:var(--failed-fill);--tone-bg:var(--failed-bg);--tone-ink:var(--failed)}
.verdict.cancelled{--tone:var(--cancelled-fill);--tone-bg:var(--cancelled-bg);--tone-ink:var(--cancelled)}
.facts{display:flex;flex-wrap:wrap;gap:4px 22px}
.facts div{display:flex;gap:7px;min-width:0}
.facts dt{color:var(--soft)}
.verdict .facts dt{color:var(--tone-ink)}
.facts dd{overflow-wrap:anywhere;min-width:0}
.stage{position:relative;overflow:auto;padding:14px;max-height:min(78vh,860px);display:grid;grid-template-columns:minmax(0,max-content);justify-content:safe center}
.stage svg.graph{max-width:100%;height:auto;min-width:min(100%,260px)}
.stage.wide{grid-template-columns:max-content;justify-content:start}.stage.wide svg.graph{max-width:none}
.stage.zoomed{overflow:hidden;cursor:grab;touch-action:none}
.zoom{display:flex;gap:4px}
.timeline{font-size:13px}
.timeline>li{display:grid;grid-template-columns:minmax(90px,22%) minmax(0,1fr) 112px;column-gap:14px;align-items:center;padding:4px 0;border-bottom:1px solid var(--line);content-visibility:auto;contain-intrinsic-size:auto 29px}
.timeline>li:last-child{border-bottom:0}
.timeline a.what{color:var(--ink)}
.timeline .what{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-weight:550}
.timeline .axis{color:var(--soft);font-size:11.5px;padding-top:0}
.timeline svg{display:block;width:100%;height:20px;overflow:visible}
.timeline .axis svg{height:16px}
.timeline .axis text{fill:var(--soft);font-size:11.5px}
.timeline .rail{stroke:var(--line);stroke-width:1}
.timeline .took{text-align:right;color:var(--soft)}
.timeline .why{grid-column:1/-1;color:var(--failed);font-size:12.5px;padding:1px 0 3px;overflow-wrap:anywhere}
.seg-run{fill:var(--running-fill)}
.seg-done{fill:var(--completed-fill)}
.seg-failed{fill:var(--failed-fill)}
.seg-wait{fill:var(--waiting-bg);stroke:var(--waiting-fill);stroke-width:1.25}
.seg-delay{fill:none;stroke:var(--strong);stroke-width:1.5;stroke-dasharray:3 3}
.seg-cancelled{fill:var(--cancelled-fill)}
.timeline .tick{stroke:var(--ink);stroke-width:1.5}
.legend{margin-top:10px;display:flex;flex-wrap:wrap;gap:4px 16px;color:var(--soft);font-size:12px}
.legend span{display:inline-flex;align-items:center;gap:6px}
.legend svg{width:20px;height:10px}
.json{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px;line-height:1.65;overflow-x:auto}
.json details>:not(summary){margin-left:17px}
.json summary{cursor:pointer;border-radius:4px;width:max-content;max-width:100%}
.json summary::marker{color:var(--soft)}
.json .leaf{padding-left:14px;overflow-wrap:anywhere}
.json .str{white-space:pre-wrap}
.json .key{color:var(--accent)}
.json .str{color:var(--completed)}
.json .num,.json .lit{color:var(--waiting);text-align:left;white-space:normal}
.json .soft{font-size:12px}
.data>details{border-bottom:1px solid var(--line)}
.data>details:last-child{border-bottom:0}
.data>details>summary{display:flex;flex-wrap:wrap;align-items:center;gap:10px;padding:9px 16px;cursor:pointer;font-weight:550}
.data>details>summary::before{content:"";width:7px;height:7px;border-right:1.5px solid var(--soft);border-bottom:1.5px solid var(--soft);transform:rotate(-45deg);flex:none;margin-left:2px}
.data>details[open]>summary::before{transform:rotate(45deg)}
.data>details>summary::-webkit-details-marker{display:none}
.data>details>summary .grow{flex:1}
.data>details>summary .small{font-weight:400}
.data>details>summary .shape{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;min-width:0;max-width:60%}
.data .body{padding-top:2px}
.data .tools{display:flex;justify-content:flex-end;padding:0 16px 4px}
.chart{display:block;width:100%;height:132px}
.chart .bar-completed{fill:var(--completed-fill)}
.chart .bar-failed{fill:var(--failed-fill)}
.chart .bar-cancelled{fill:var(--cancelled-fill)}
.chart .grid{stroke:var(--line);stroke-width:1}
.chart text{fill:var(--soft);font-size:11px}
.cards{display:grid;gap:16px;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr))}
.card{display:flex;flex-direction:column}
.card .thumb{height:230px;padding:12px;display:grid;place-items:center;border-bottom:1px solid var(--line);background:var(--raised);border-radius:10px 10px 0 0}
.card .thumb svg{width:100%;height:206px;max-width:100%}
.card .text{padding:12px 16px;display:grid;gap:7px}
.counts{display:flex;flex-wrap:wrap;gap:6px}
.tall{max-height:440px;overflow:auto}
pre.source{overflow:auto;max-height:520px;line-height:1.6}
.key-list{display:grid;grid-template-columns:minmax(0,1fr);gap:8px}
.key-list li{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline}
.key-list .grow{flex:1}
.key-list .mono,.key-list b{overflow-wrap:anywhere;min-width:0}
.key-list .clip{flex-basis:100%;min-width:0}
.key-list li{border-bottom:1px solid var(--line);padding-bottom:7px}.key-list li:last-child{border-bottom:0;padding-bottom:0}
`;

const SIZES = `
@media (min-width:1040px){
.columns.even{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
.columns.graph-left{grid-template-columns:minmax(0,5fr) minmax(0,6fr);align-items:start}
.columns.graph-left>.panel:first-child{position:sticky;top:70px}
.columns.three{grid-template-columns:repeat(3,minmax(0,1fr))}
}
@media (max-width:760px){
.bar{padding:8px 14px 0;gap:2px 12px}
.bar nav{order:3;flex-basis:100%}
.bar nav a{padding:9px 9px 8px}
.bar .live{margin-left:auto}
html{scroll-padding-top:96px}
main{padding:16px 12px 48px;gap:14px}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:9px}
.tile b{font-size:21px}
.timeline .axis text:nth-child(even){display:none}
.timeline>li{grid-template-columns:minmax(70px,26%) minmax(0,1fr) 74px;column-gap:9px}
.timeline a.what{color:var(--ink)}
table.rows thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.rows,table.rows tbody,table.rows tr{display:block}
table.rows tr{padding:10px 14px;border-bottom:1px solid var(--line);display:flex;flex-wrap:wrap;gap:3px 12px;align-items:baseline}
table.rows tr:last-child{border-bottom:0}
table.rows td{display:block;padding:0!important;border:0;max-width:100%;min-width:0}
table.rows td>a[data-row]{max-width:100%}
td:first-child{min-width:120px}
table.rows td.wide{flex-basis:100%;max-width:100%}
table.rows td.none{display:none}
table.rows td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-size:12px}
}
@media print{.bar nav,.live,button,.filters{display:none}}
`;

/** The style sheet. */
export const STYLE: string = [PALETTE, BASE, SHELL, PIECES, EXECUTION, GRAPH_STYLE, SIZES].join("");
