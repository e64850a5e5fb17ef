// Numbers over time: an answer's rows are a time and the values of its lines.

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export const SUMMARIES = {
  total: sum,
  mean: (values) => sum(values) / values.length,
  highest: (values) => Math.max(...values),
  latest: (values) => values.at(-1),
};

// The values of one line; 0 where there is no such line.
export function line({ columns, rows }, name) {
  const place = columns.indexOf(name);
  return rows.map((row) => (place < 0 ? 0 : row[place]));
}

// Of all lines together.
export const totals = ({ rows }) => rows.map((row) => sum(row.slice(1)));
