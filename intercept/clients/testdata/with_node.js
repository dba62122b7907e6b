// Runs the statements with Node's mysql, which speaks the protocol itself and sends text only.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const mysql = require('mysql');

const env = process.env;
const c = mysql.createConnection({
  host: env.HOST,
  port: Number(env.PORT),
  user: env.DBUSER,
  password: env.PASSWORD,
  database: env.DB,
  charset: 'UTF8MB4_GENERAL_CI',
  multipleStatements: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  ssl: env.TLS ? { rejectUnauthorized: false } : undefined,
});

function say(...words) {
  fs.writeSync(1, words.join(' ') + '\n');
}

function show(v) {
  let text = JSON.stringify(Buffer.isBuffer(v) ? 'x' + v.toString('hex') : v);
  if (text.length > 300) {
    text = text.length + ':' + crypto.createHash('sha1').update(text).digest('hex');
  }
  return text;
}

function failed(n, e) {
  say(n, 'error', e.code, e.errno, e.sqlState, e.fatal, show(e.sqlMessage || e.message));
}

// answered resolves when the whole answer is there.
function answered(n, query) {
  return new Promise((resolve) => {
    query
      .on('error', (e) => failed(n, e))
      .on('fields', (fields) => say(n, 'columns', fields.map((f) => [f.db, f.orgTable, f.table, f.orgName, show(f.name), f.type, f.charsetNr, f.length, f.flags, f.decimals].join('/')).join(' | ')))
      .on('result', (row) => {
        if (row.constructor.name === 'OkPacket') {
          say(n, 'done', row.affectedRows, row.insertId, row.changedRows, row.warningCount, row.serverStatus, show(row.message));
        } else {
          say(n, 'row', ...Object.values(row).map(show));
        }
      })
      .on('end', resolve);
  });
}

function done(n, what) {
  return new Promise((resolve) => what((e, r) => {
    if (e) {
      failed(n, e);
    } else {
      say(n, 'done', r && show(r.message));
    }
    resolve();
  }));
}

function value(word) {
  const bytes = Buffer.from(word.slice(2).replace(/%(..)/g, (_, h) => String.fromCharCode(parseInt(h, 16))), 'latin1');
  switch (word[0]) {
    case 'i': return BigInt(bytes.toString()) > 1n << 53n ? bytes.toString() : Number(bytes.toString());
    case 'd': return Number(bytes.toString());
    case 's': return bytes.toString('utf8');
    case 'b': return Buffer.from(bytes.toString(), 'hex');
    default: return null;
  }
}

async function run(n, command, text, list) {
  switch (command) {
    case 'query': case 'local': case 'big':
      return answered(n, c.query({ sql: text, nestTables: '.' }));
    case 'prepare': case 'batch':
      for (const params of list) {
        await answered(n, c.query({ sql: text, values: params, nestTables: '.' }));
      }
      return;
    case 'cursor': // rows as they come, with a halt in between
      for (const params of list) {
        let rows = 0;
        const q = c.query({ sql: text, values: params, nestTables: '.' });
        q.on('result', () => {
          if (++rows % 50 === 0) {
            c.pause();
            setImmediate(() => c.resume());
          }
        });
        await answered(n, q);
      }
      return;
    case 'ping': return done(n, (f) => c.ping(f));
    case 'stat': return done(n, (f) => c.statistics((e, r) => f(e, r && { message: r.message.replace(/[0-9.]+/g, 'N') })));
    case 'change': return done(n, (f) => c.changeUser({ user: env.DBUSER, password: env.PASSWORD, database: env.DB }, f));
    case 'use': return answered(n, c.query('use ' + text));
    default: say(n, 'left out');
  }
}

async function main() {
  try {
    await new Promise((resolve, reject) => c.connect((e) => (e ? reject(e) : resolve())));
  } catch (e) {
    failed(0, e);
    return;
  }
  const lines = fs.readFileSync(env.STATEMENTS, 'utf8').split('\n');
  for (let i = 0; i < lines.length;) {
    const line = lines[i++];
    const n = i;
    const list = [];
    while (i < lines.length && /^with( |$)/.test(lines[i])) {
      list.push(lines[i++].split(' ').slice(1).map(value));
    }
    if (line === '' || line[0] === '#') {
      continue;
    }
    const [, command, text] = /^(\w+) ?(.*)$/.exec(line);
    if (command === 'big' && !env.BIG) {
      continue;
    }
    await run(n, command, text.replace('%FILE%', env.UPLOAD).replace('DATABASE', env.DB).replace('%BIG%', () => 'b'.repeat(1 << 24)), list);
  }
  c.end();
}

main();
