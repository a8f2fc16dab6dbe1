// Shows conformance.json, which `faultline verify --json` wrote when the site was built.
(async () => {
  const sum = document.getElementById('sum'), table = document.querySelector('table');
  const add = (to, name, textContent = '', more = {}) => to.appendChild(Object.assign(document.createElement(name), { textContent }, more));
  const words = (value) => (typeof value === 'number' ? String(Number(value.toPrecision(6))) : JSON.stringify(value) ?? '');
  const tolerance = ({ rel_tol }) => (rel_tol ? `${Number((rel_tol * 100).toPrecision(3))} %` : 'exact');
  let report;
  try {
    const answer = await fetch('conformance.json');
    if (!answer.ok) throw new Error(`conformance.json: ${answer.status}`);
    report = await answer.json();
  } catch (error) {
    sum.textContent = `This site was built without the results (${error.message}). Run \`faultline verify --json > about/conformance.json\` in its folder.`;
    return;
  }
  const { summary, seeds, cases } = report;
  sum.textContent = `${summary.passed} of ${summary.cases} cases hold, measured with ${seeds === 1 ? 'one seed' : `${seeds} seeds`}.`;
  for (const { id, source, reason, verdict, values } of cases) {
    const body = add(table, 'tbody');
    body.dataset.case = id;
    const rows = values.length ? values : [{ name: reason, pass: false }];
    rows.forEach((value, index) => {
      const row = add(body, 'tr');
      if (index === 0) {
        const head = add(row, 'th', id, { scope: 'rowgroup', rowSpan: rows.length });
        add(head, 'p', source);
      }
      add(row, 'td', value.name).dataset.name = value.name;
      add(row, 'td', words(value.expected), { className: 'num' });
      const measured = add(row, 'td', words(value.got), { className: 'num' });
      measured.dataset.measured = JSON.stringify(value.got);
      add(row, 'td', values.length ? tolerance(value) : '', { className: 'num' });
      add(row, 'td', value.pass ? 'holds' : values.length ? 'off' : verdict, { className: value.pass ? 'pass' : 'off' });
    });
  }
  table.hidden = false;
})();
