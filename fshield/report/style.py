"""The page's style sheet. Colours meet WCAG AA (4.5:1) on their ground, in light and in dark."""

CSS = """
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#17202b;--soft:#55606e;
--line:#dce1e7;--link:#0b57c2;
--red:#a81c1c;--red-g:#fdeaea;--amber:#7d5200;--amber-g:#fff3d6;--green:#17653a;--green-g:#e4f5ea}
@media screen and (prefers-color-scheme:dark){:root{--ground:#10151b;--card:#182029;--ink:#e8edf2;
--soft:#a3afbc;--line:#2c3743;
--link:#8ab8ff;--red:#ff9d96;--red-g:#441c1d;--amber:#ffcf6e;--amber-g:#3b2d0c;--green:#84dda3;
--green-g:#143524}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 6px}
h2{font-size:1.2rem;margin:36px 0 10px}
p{margin:6px 0}
.soft,small{color:var(--soft)}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,.wide:focus-visible{outline:3px solid var(--link);
outline-offset:2px}
.skip{position:absolute;left:-999px}
.skip:focus{left:12px;top:12px;background:var(--card);padding:8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;
margin:20px 0 0;padding:0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tiles dt{color:var(--soft);font-size:.9rem}
.tiles dd{margin:0;font-size:1.7rem;font-weight:650;line-height:1.25}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.94rem}
caption{text-align:left;padding:10px 14px 4px;color:var(--soft)}
th,td{text-align:left;vertical-align:top;padding:8px 14px;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:600;white-space:nowrap}
tbody th{font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:.92em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.unit{display:none}
.when{white-space:nowrap}
.badge{display:inline-block;border-radius:6px;padding:0 8px;font-weight:600;white-space:nowrap;
margin:0 4px 2px 0}
.block,.gone{background:var(--red-g);color:var(--red)}
.alert{background:var(--amber-g);color:var(--amber)}
.allow{background:var(--green-g);color:var(--green)}
dd.block,dd.alert,dd.allow{background:none}
details{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:10px 0}
summary{cursor:pointer;padding:10px 14px;border-radius:10px}
summary strong{margin-right:10px;overflow-wrap:anywhere}
details .wide{border:0;border-top:1px solid var(--line);border-radius:0 0 10px 10px}
ul{padding-left:20px}
.lead{background:var(--card);border:1px solid var(--line);border-left:6px solid var(--soft);
border-radius:10px;padding:14px 18px;margin:18px 0 0}
.lead.block{border-left-color:var(--red);background:var(--card);color:var(--ink)}
.lead.alert{border-left-color:var(--amber);background:var(--card);color:var(--ink)}
.lead.allow{border-left-color:var(--green);background:var(--card);color:var(--ink)}
.lead .said{font-size:1.25rem;font-weight:650;line-height:1.35;margin:0 0 6px;
overflow-wrap:anywhere}
.lead ul{margin:6px 0 0}
.drawing{display:block;min-width:720px;width:100%;height:auto;padding:12px}
.drawing rect{fill:var(--ground);stroke:var(--line)}
.drawing text{fill:var(--ink);font:14px system-ui,sans-serif}
.drawing .head{fill:var(--soft);font-weight:600}
.drawing .end{text-anchor:end}.drawing .mid{text-anchor:middle}
.times .tick{stroke:var(--line);fill:none}
.drawing .week{fill:var(--ground);stroke:none}
.drawing .life{fill:var(--soft);stroke:none}
.drawing .first{fill:var(--soft);stroke:var(--card)}
.drawing .first.block{fill:var(--red)}
.drawing .first.alert{fill:var(--amber)}
.drawing .first.allow{fill:var(--green)}
.pages{padding:0 14px}
.lines{border:0;margin:0;background:none}
.lines summary{padding:0;color:var(--link);font-size:.9em}
.lines code{display:block;padding:6px 0}
.file{display:block;padding:4px 14px 12px;white-space:pre-wrap}
.file div:target{background:var(--amber-g);color:var(--amber)}
[hidden]{display:none!important}
th button{all:unset;cursor:pointer;font:inherit;color:inherit}
th button:focus-visible,input:focus-visible{outline:3px solid var(--link);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
.tool{display:block;margin:0 0 10px;color:var(--soft)}
.tool input{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--soft);
border-radius:6px;padding:3px 8px;max-width:100%}
.edge{fill:none;stroke:var(--soft);stroke-width:2}
.edge.block{stroke:var(--red);stroke-width:3;background:none}
.edge.alert{stroke:var(--amber);stroke-dasharray:8 4}
.edge.allow{stroke:var(--green)}
footer{padding-top:28px;padding-bottom:40px}
@media screen and (max-width:760px){
.tiles{grid-template-columns:1fr 1fr}
header,main,footer{padding-left:12px;padding-right:12px}
.wide table,.wide thead,.wide tbody,.wide tr,.wide th,.wide td,.wide caption{display:block}
.wide thead{position:absolute;left:-9999px}
.wide tr{border-top:1px solid var(--line);padding:8px 0}
.wide tbody td,.wide tbody th{border:0;padding:1px 14px;text-align:left;white-space:normal}

.unit{display:inline}.zero{display:none!important}}
@media print{html{color-scheme:light;font-size:12px}body{background:none;font-size:1rem}
header,main,footer{max-width:none;padding-left:0;padding-right:0}
.tool,.skip{display:none}th button{display:contents}
.drawing{min-width:0;break-inside:avoid}
h2,caption,summary{break-after:avoid}tbody tr:first-child{break-before:avoid}
.lead,.tiles,thead,tr,summary{break-inside:avoid}
th,td{padding:4px 8px}
.tiles{grid-template-columns:repeat(5,1fr)}.tiles dd{font-size:1.4rem}
.badge,.drawing,.lead{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible;height:auto}
summary{list-style:none}.wide{overflow:visible}}
"""
