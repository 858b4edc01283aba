#pragma once

namespace gapkit {

/// Style sheet of Page: colours as variables for light and dark. Holds neither '<' nor '&', so that it stands in XML as it is.
inline constexpr const char* page_style = R"css(
:root{color-scheme:light;--page:#f4f5f7;--card:#ffffff;--ink:#1b2230;--soft:#566072;--faint:#8a93a3;--edge:#dfe3ea;--grid:#e8ebf0;--axis:#9aa3b2;--link:#0b5cad;--good:#0a7a4f;--bad:#b3401a;
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#c0649a;--c4:#d99600;--c5:#3fa7e0;--c6:#7a6a53;--cn:#8a93a3;--bar:rgba(0,114,178,.13)}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;--page:#11151b;--card:#1a2029;--ink:#e7eaf0;--soft:#a3adbd;--faint:#7b8698;--edge:#2b3441;--grid:#27303c;--axis:#65718a;--link:#7db9f2;--good:#4fc596;--bad:#ff8e62;
--c0:#4ba6e8;--c1:#ff8438;--c2:#2fc796;--c3:#e592c2;--c4:#f2bd3d;--c5:#93d6ff;--c6:#bda98a;--cn:#8592a8;--bar:rgba(75,166,232,.2)}}
:root[data-theme=dark]{color-scheme:dark;--page:#11151b;--card:#1a2029;--ink:#e7eaf0;--soft:#a3adbd;--faint:#7b8698;--edge:#2b3441;--grid:#27303c;--axis:#65718a;--link:#7db9f2;--good:#4fc596;--bad:#ff8e62;
--c0:#4ba6e8;--c1:#ff8438;--c2:#2fc796;--c3:#e592c2;--c4:#f2bd3d;--c5:#93d6ff;--c6:#bda98a;--cn:#8592a8;--bar:rgba(75,166,232,.2)}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:3.6rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif}
.wide{max-width:1320px;margin:0 auto;padding:0 24px}
header{padding:30px 0 6px}
header .wide{display:flex;gap:16px;align-items:flex-start;justify-content:space-between}
h1{font-size:1.75rem;line-height:1.2;letter-spacing:-.015em;margin:0 0 4px;font-weight:680}
.subtitle{color:var(--soft);margin:0;overflow-wrap:anywhere}
h2{font-size:1.22rem;letter-spacing:-.01em;margin:0 0 2px;font-weight:660}
h3{font-size:.95rem;margin:0;font-weight:640}
h3.part{color:var(--soft);margin:14px 0 -2px;}
h3.part::first-letter{text-transform:uppercase}
section{padding:26px 0 4px}
section p{color:var(--soft);max-width:84ch;margin:2px 0 12px}
nav{position:sticky;top:0;z-index:5;background:var(--page);border-bottom:1px solid var(--edge);margin-top:18px}
nav .wide{display:flex;gap:2px 18px;overflow-x:auto;padding-top:9px;padding-bottom:9px}
nav a{color:var(--soft);text-decoration:none;white-space:nowrap;font-size:.88rem}
nav a:hover,nav a:focus-visible{color:var(--link)}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin:18px 0 0;padding:0}
.number{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:12px 14px}
.number dt{color:var(--soft);font-size:.8rem}
.number dd{margin:0;font-size:1.5rem;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;line-height:1.25}
.number dd small{font-size:.8rem;font-weight:450;color:var(--soft);letter-spacing:0;margin-left:4px}
.number dd.good{color:var(--good)}.number dd.bad{color:var(--bad)}
.number dd.note{color:var(--faint);font-size:.76rem;font-weight:400;letter-spacing:0;margin:1px 0 0;line-height:1.35}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(350px,100%),1fr));gap:14px;margin:10px 0 14px}
.key .area{opacity:.38}
figure{margin:0;background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:13px 14px 11px;min-width:0;max-width:640px}
figcaption{color:var(--soft);font-size:.8rem;line-height:1.42;margin-top:5px}
.legend{display:flex;flex-wrap:wrap;gap:1px 12px;margin:3px 0 4px;font-size:.8rem;color:var(--soft)}
.legend span{display:inline-flex;align-items:center;gap:5px}
.key{width:18px;height:12px;flex:none}
.groups{display:flex;flex-wrap:wrap;gap:5px;margin:2px 0 10px}
.groups button{display:inline-flex;align-items:center;gap:4px;border:1px solid var(--edge);background:var(--card);color:var(--ink);border-radius:99px;padding:2px 10px 2px 5px;font:inherit;font-size:.8rem;cursor:pointer}
.groups button:hover{border-color:var(--axis)}
.groups button[aria-pressed=true]{border-color:var(--link);box-shadow:0 0 0 1px var(--link)}
.faded{opacity:.05!important}
button.theme{flex:none;border:1px solid var(--edge);background:var(--card);color:var(--soft);border-radius:8px;padding:5px 11px;font:inherit;font-size:.82rem;cursor:pointer}
button.theme:hover{color:var(--ink);border-color:var(--axis)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
svg.plot{display:block;width:100%;height:auto;overflow:visible;font-family:inherit}
svg text{fill:var(--soft);font-size:11.5px;font-variant-numeric:tabular-nums}
svg .axis-label{fill:var(--ink);font-size:12px;text-anchor:middle}
svg .ticks.x text{text-anchor:middle}svg .ticks.y text{text-anchor:end}svg .ticks.value text{text-anchor:start;fill:var(--ink)}
svg .grid{stroke:var(--grid);fill:none;stroke-width:1}
svg .axis,svg .small-ticks{stroke:var(--axis);fill:none;stroke-width:1}
.s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}.s4{--c:var(--c4)}.s5{--c:var(--c5)}.s6{--c:var(--c6)}.sn{--c:var(--cn)}.si{--c:var(--ink)}
.line{stroke:var(--c);fill:none;stroke-linejoin:round;stroke-linecap:round}
.dashed{stroke-dasharray:5 4}
.area{fill:var(--c);opacity:.16}
.bar{fill:var(--c);opacity:.9}.bar.k1{opacity:.62}.bar.k2{opacity:.4}.bar.k3{opacity:.24}
.points{stroke:var(--c);fill:none}
.points.p0{stroke-linecap:round;stroke-width:3.9}.points.p1{stroke-linecap:square;stroke-width:3.4}
.points.p2,.points.p3{stroke:none;fill:var(--c)}
.points.medium.p0{stroke-width:5.4}.points.medium.p1{stroke-width:4.5}
.points.large.p0{stroke-width:7}.points.large.p1{stroke-width:6}
.d0{opacity:.62}.d1{opacity:.82}.d2{opacity:1}
.empty{fill:var(--faint);text-anchor:middle}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--edge);border-radius:10px;margin:10px 14px 6px 0;display:inline-block;vertical-align:top;max-width:100%}
table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:11px 14px 5px;font-weight:640;font-size:.95rem}
th,td{padding:5px 12px;text-align:left;white-space:nowrap;border-bottom:1px solid var(--grid)}
th{white-space:normal;max-width:9.5em;color:var(--soft);font-weight:560;font-size:.8rem;vertical-align:bottom;border-bottom-color:var(--edge)}
th button{all:unset;cursor:pointer}th button:focus-visible{outline:2px solid var(--link)}
th[aria-sort=ascending] button::after{content:" ▲";font-size:.7em}th[aria-sort=descending] button::after{content:" ▼";font-size:.7em}
td.r,th.r{text-align:right}
tr:last-child td{border-bottom:0}tr.total td{border-top:1px solid var(--edge);font-weight:620}
td.barred{background:linear-gradient(to left,var(--bar) var(--w),transparent var(--w))}
td.strong{font-weight:680;color:var(--bad)}
details{background:var(--card);border:1px solid var(--edge);border-radius:10px;margin:10px 0 14px;padding:9px 14px}
summary{cursor:pointer;font-weight:600;font-size:.92rem}
pre{overflow:auto;font:12.5px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;margin:8px 0 2px;max-height:32rem}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--page);border-radius:6px;padding:4px 9px;font-size:.78rem;line-height:1.4;max-width:320px;box-shadow:0 3px 12px rgba(0,0,0,.25);display:none;white-space:pre-line}
footer{color:var(--faint);font-size:.8rem;padding:18px 0 34px}
@media (max-width:560px){.wide{padding:0 14px}h1{font-size:1.4rem}.numbers{grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:8px}figure{padding:10px 9px}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{nav,button.theme{display:none}figure,.scroll,.number{break-inside:avoid}body{background:#fff}}
)css";

}  // namespace gapkit
