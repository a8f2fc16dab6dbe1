// The real load for `faultline serve --start-on-first-request`: 500 requests a second for 60 s, open loop.
//
//   faultline serve --scenario database-outage --real db=sqlite:lab.sqlite --start-on-first-request &
//   k6 run tests/load/items.js
//
// BASE_URL: address of the server, http://127.0.0.1:8000 by default.
// RATE: requests a second, 500 by default.

import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';
import { Rate } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';
const RATE = Number(__ENV.RATE || 500);
const USERS = 100;
const KEYS = 1800;
const READ_SHARE = 0.8;

// Seconds of the scenario's timeline: the outage lasts from 20 to 35, and breakers are closed again at 45. A request counts
// by when it was sent, hence the margin before the outage.
const PHASES = [
  ['before', 19.5],
  ['during', 36],
  ['recovering', 45],
  ['after', Infinity],
];

const stale = new Rate('stale_answers');

export const options = {
  scenarios: {
    items: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: '60s',
      preAllocatedVUs: 100,
      maxVUs: 1000,
    },
  },
  thresholds: {
    // Before the outage and after the recovery no request fails.
    'http_req_failed{phase:before}': ['rate==0'],
    'http_req_failed{phase:after}': ['rate==0'],
    // Degraded mode: reads are answered, writes fail fast.
    'http_req_failed{phase:during,op:read}': ['rate<0.02'],
    'http_req_failed{phase:during,op:write}': ['rate>0.8'],
    'http_req_duration{phase:during,op:write}': ['p(95)<100'],
    'stale_answers{phase:during}': ['rate>0.3'],
    // The load was really there.
    http_reqs: [`count>${RATE * 60 * 0.98}`],
    checks: ['rate==1'],
    // Shown, and loose enough for a shared machine.
    'http_req_duration{phase:before}': ['p(95)<100'],
    'http_req_duration{phase:after}': ['p(95)<100'],
  },
  summaryTrendStats: ['avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
};

// Every user of the mounted scenario logs in once; the requests reuse the tokens.
export function setup() {
  const tags = { phase: 'setup' };
  const scenario = http.get(`${BASE_URL}/api/scenario`, { tags }).json();
  const tokens = [];
  for (let user = 0; user < scenario.users; user += 1) {
    const answer = http.post(`${BASE_URL}/api/login`, JSON.stringify({ user }), {
      headers: { 'Content-Type': 'application/json' },
      tags: { name: 'POST /api/login', ...tags },
    });
    if (answer.status !== 200) {
      exec.test.abort(`login of user ${user} failed: ${answer.status} ${answer.body}`);
    }
    tokens.push(answer.json('access_token'));
  }
  return { tokens, keys: scenario.keys };
}

export default function ({ tokens, keys }) {
  const seconds = (Date.now() - exec.scenario.startTime) / 1000;
  const phase = PHASES.find(([, until]) => seconds < until)[0];
  const key = Math.floor(Math.random() * keys);
  const token = tokens[Math.floor(Math.random() * tokens.length)];
  const op = Math.random() < READ_SHARE ? 'read' : 'write';
  const method = op === 'read' ? 'GET' : 'PUT';
  const answer = http.request(method, `${BASE_URL}/lab/items/${key}`, null, {
    headers: { Authorization: `Bearer ${token}` },
    tags: { name: `${method} /lab/items/{id}`, op, phase },
  });
  if (answer.status === 200) {
    stale.add(answer.json('stale'), { phase });
  }
  check(answer, {
    'the answer is one the API promises': (r) => [200, 503, 504].includes(r.status),
    'it names the request': (r) => Boolean(r.headers['X-Request-Id']),
  });
}
