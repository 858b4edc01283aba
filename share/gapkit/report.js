(function () {
  'use strict';
  const root = document.documentElement;
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));

  // Theme: the system's, light, dark; FILE.html#dark and #light select one.
  const store = { get: () => { try { return localStorage.getItem('gapkit-theme'); } catch (e) { return null; } },
                  set: v => { try { localStorage.setItem('gapkit-theme', v); } catch (e) { /* private mode */ } } };
  const button = document.querySelector('button.theme');
  const themes = ['auto', 'light', 'dark'];
  function setTheme(theme) {
    if (theme === 'auto') delete root.dataset.theme; else root.dataset.theme = theme;
    button.textContent = 'Theme: ' + theme;
  }
  const wanted = location.hash.slice(1);
  let theme = themes.includes(wanted) ? wanted : themes.includes(store.get()) ? store.get() : 'auto';
  setTheme(theme);
  button.hidden = false;
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    setTheme(theme);
    store.set(theme);
  });

  // The browser's tooltip of a figure's title would cover the tooltips of its points.
  all('svg.plot').forEach(svg => {
    const title = svg.querySelector('title');
    if (title) { svg.setAttribute('aria-label', title.textContent); title.remove(); }
  });

  // Tooltips: the nearest point within 9 px.
  const tip = document.createElement('div');
  tip.id = 'tip';
  tip.setAttribute('role', 'status');
  document.body.append(tip);
  const offsets = { p0: 0, p1: 0, p2: 2.5, p3: 2.4 };
  function pointsOf(svg) {
    if (svg.gapkitPoints) return svg.gapkitPoints;
    const points = [];
    all('path.points', svg).forEach(path => {
      const shape = ['p0', 'p1', 'p2', 'p3'].find(p => path.classList.contains(p));
      const labels = path.dataset.labels ? path.dataset.labels.split(' ') : null;
      let i = 0;
      for (const m of path.getAttribute('d').matchAll(/M(-?[\d.]+) (-?[\d.]+)/g)) {
        points.push({ x: +m[1], y: +m[2] + offsets[shape], path: path, label: labels ? labels[i] : null });
        ++i;
      }
    });
    svg.gapkitPoints = points;
    return points;
  }
  function number(v) {
    const size = Math.abs(v);
    return (size !== 0 && (size < 1e-3 || size >= 1e6) ? v.toExponential(2) : String(+v.toPrecision(5))).replace('-', '−');
  }
  function value(axis, t) {
    const a = axis.split(' ').map(Number);
    return a[2] ? a[0] * Math.pow(a[1] / a[0], t) : a[0] + t * (a[1] - a[0]);
  }
  all('svg.plot[data-box]').forEach(svg => {
    const box = svg.dataset.box.split(' ').map(Number);
    const names = all('.axis-label', svg).map(e => e.textContent.replace(/\s+×10.*$/, ''));
    svg.addEventListener('pointermove', event => {
      const matrix = svg.getScreenCTM();
      if (!matrix) return;
      const x = (event.clientX - matrix.e) / matrix.a, y = (event.clientY - matrix.f) / matrix.d;
      let best = null, distance = Math.pow(9 / matrix.a, 2);
      for (const p of pointsOf(svg)) {
        const d = (p.x - x) * (p.x - x) + (p.y - y) * (p.y - y);
        if (d < distance && !p.path.classList.contains('faded')) { distance = d; best = p; }
      }
      if (!best) { tip.style.display = 'none'; return; }
      const vx = value(svg.dataset.x, (best.x - box[0]) / (box[2] - box[0]));
      const vy = value(svg.dataset.y, (box[3] - best.y) / (box[3] - box[1]));
      const lines = [];
      const head = [best.path.dataset.name, best.label !== null ? svg.dataset.label + ' ' + best.label : ''].filter(Boolean).join(' · ');
      if (head) lines.push(head);
      lines.push(names[0] + ': ' + number(vx), names[1] + ': ' + number(vy));
      tip.textContent = lines.join('\n');
      tip.style.display = 'block';
      const r = tip.getBoundingClientRect();
      tip.style.left = Math.min(event.clientX + 14, innerWidth - r.width - 8) + 'px';
      tip.style.top = (event.clientY + r.height + 20 > innerHeight ? event.clientY - r.height - 12 : event.clientY + 14) + 'px';
    });
    svg.addEventListener('pointerleave', () => { tip.style.display = 'none'; });
  });

  // Shared legend: one group alone, or all.
  let alone = null;
  all('.groups button').forEach(b => b.addEventListener('click', () => {
    alone = alone === b.dataset.group ? null : b.dataset.group;
    all('.groups button').forEach(o => o.setAttribute('aria-pressed', o.dataset.group === alone ? 'true' : 'false'));
    all('svg [data-group]').forEach(e => e.classList.toggle('faded', alone !== null && e.dataset.group !== alone));
  }));

  // Tables: a click on a heading sorts; the total stays last.
  all('th button').forEach(b => b.addEventListener('click', () => {
    const th = b.closest('th'), table = b.closest('table'), body = table.tBodies[0];
    const down = th.getAttribute('aria-sort') !== 'descending';
    all('th', table).forEach(o => o.removeAttribute('aria-sort'));
    th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const column = th.cellIndex;
    const key = row => { const c = row.cells[column]; return c.dataset.value !== undefined ? +c.dataset.value : c.textContent; };
    const rows = all('tr', body).filter(r => !r.classList.contains('total')), totals = all('tr.total', body);
    rows.sort((a, b2) => {
      const x = key(a), y = key(b2);
      const order = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true });
      return down ? -order : order;
    });
    body.append(...rows, ...totals);
  }));
})();
