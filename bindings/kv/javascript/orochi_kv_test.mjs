// Goal: the JavaScript client does at a node what it says; what may have happened it never sends twice.
// Method: three real nodes, whose addresses are in KV (clients_test.py starts them), and nodes that answer by a
// script and count what they read. node --test
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import * as kv from './orochi_kv.mjs';

const NODES = (process.env.KV ?? '').split(',').filter(Boolean);

// Acts: [status, document, headers], 'close' or 'silence'; past the script 200.
async function scripted(t, ...script) {
  const requests = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      requests.push(`${request.method} ${request.url}`);
      const act = script.shift() ?? [200, { timestamp: '1' }];
      if (act === 'close') {
        request.socket.destroy();
      } else if (act !== 'silence') {
        response.writeHead(act[0], { 'Content-Type': 'application/json', ...act[2] });
        response.end(JSON.stringify(act[1]));
      }
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { address: `http://127.0.0.1:${server.address().port}`, requests, server };
}
const refusal = (status, code) => [status, { code, message: `it is ${code}` }];

async function closedAddress(t) {
  const node = await scripted(t);
  await new Promise((resolve) => { node.server.close(resolve); });
  return node.address;
}

test('a write without an answer is not sent again', async (t) => {
  for (const act of ['close', 'silence', refusal(504, 'outcome_unknown'), refusal(504, 'deadline'), [502, {}],
    [503, {}], refusal(500, 'something_new')]) {
    const first = await scripted(t, act);
    const second = await scripted(t);
    const client = new kv.Client([first.address, second.address], { timeoutMs: 2000 });
    await assert.rejects(client.schema('shop', 'item').put({ id: 1 }), kv.OutcomeUnknown);
    assert.equal(first.requests.length + second.requests.length, 1);
  }
});

test('what did not happen is asked of another node', async (t) => {
  for (const act of [refusal(503, 'unavailable'), refusal(429, 'overloaded')]) {
    const first = await scripted(t, act);
    const second = await scripted(t);
    await new kv.Client([first.address, second.address]).schema('shop', 'item').put({ id: 1 });
    assert.deepEqual([first.requests.length, second.requests.length], [1, 1]);
  }
  const node = await scripted(t);
  await new kv.Client([await closedAddress(t), node.address]).putKey('a', 'b');
  assert.equal(node.requests.length, 1);
  await assert.rejects(new kv.Client([await closedAddress(t)], { timeoutMs: 100 }).putKey('a', 'b'),
    kv.Unavailable);
});

test('what only reads is asked again', async (t) => {
  for (const act of ['close', 'silence', refusal(504, 'deadline')]) {
    const found = Array(5).fill([200, { record: { id: 1 } }]);
    const first = await scripted(t, act, ...found);
    const second = await scripted(t, ...found);
    const client = new kv.Client([first.address, second.address], { readAttemptMs: 50 });
    assert.deepEqual(await client.schema('shop', 'item').get({ id: 1 }), { id: 1 });
  }
});

test('unknown commits are asked about at any node', async (t) => {
  const begun = [201, { transaction: 't1', outcome: 'open' }];
  const wrote = [200, { anchor: 'YW5jaG9y' }];
  let runs = 0;
  const body = async (transaction) => {
    runs += 1;
    await transaction.schema('shop', 'item').put({ id: 1 });
  };
  for (const [outcome, expected] of [['committed', 1], ['aborted', 2]]) {
    runs = 0;
    const first = await scripted(t, begun, wrote, 'close', refusal(503, 'unavailable'));
    const second = await scripted(t, [200, { outcome: 'open' }], [200, { outcome }], begun, wrote,
      [200, { outcome: 'committed', timestamp: '7' }]);
    await new kv.Client([first.address, second.address]).runTransaction(body);
    assert.equal(runs, expected);
    assert.ok(second.requests.some((one) => one.startsWith('GET /v1/txn/t1?anchor=YW5jaG9y')));
  }
  const node = await scripted(t, begun, wrote, refusal(504, 'outcome_unknown'), [200, { outcome: 'unknown' }],
    [200, { outcome: 'unknown' }]);
  await assert.rejects(new kv.Client([node.address]).runTransaction(body), (error) => {
    assert.ok(error instanceof kv.OutcomeUnknown);
    assert.deepEqual([error.transaction, error.anchor], ['t1', 'YW5jaG9y']);
    return true;
  });
});

test('before the commit errors are certain', async (t) => {
  const node = await scripted(t, [201, { transaction: 't1' }], 'close');
  const transaction = await new kv.Client([node.address]).begin();
  await assert.rejects(transaction.schema('shop', 'item').put({ id: 1 }), kv.Unavailable);
});

test('addresses are checked', () => {
  assert.throws(() => new kv.Client([]), kv.InvalidArgument);
  assert.throws(() => new kv.Client(['unix:/kv.sock']), kv.InvalidArgument);
});

test('all calls at real nodes', { skip: NODES.length === 0 && 'KV names no nodes' }, async () => {
  const client = new kv.Client(NODES, { timeoutMs: 30_000 });
  const name = `js_${Math.random().toString(36).slice(2)}`;
  const key = `${name}/with?all #of% it`;
  assert.equal(await client.getKey(key), null);
  await client.putKey(key, Uint8Array.of(0, 255));
  assert.deepEqual([...await client.getKey(key)], [0, 255]);
  assert.equal(await client.deleteKey(key), true);
  assert.equal(await client.deleteKey(key), false);

  await client.createCollection(name, { partitions: 2 });
  await client.createSchema(name, {
    name: 'item', version: 1,
    fields: [{ name: 'shelf', type: 'text' }, { name: 'place', type: 'int64' }, { name: 'data', type: 'bytes' }],
    partition_key: ['shelf'], range_key: ['place'],
  });
  const item = client.schema(name, 'item');
  const big = 2n ** 62n;
  await item.put({ shelf: 'a', place: big, data: Uint8Array.of(0, 255) });
  const found = await item.get({ shelf: 'a', place: big });
  assert.equal(found.place, big.toString());
  assert.deepEqual([...kv.bytesOf(found.data)], [0, 255]);
  assert.equal(await item.get({ shelf: 'a', place: 0 }), null);
  await assert.rejects(item.insert({ shelf: 'a', place: big, data: null }), (error) => {
    assert.ok(error instanceof kv.ConditionFailed);
    assert.equal(error.reason, 'present');
    return true;
  });
  await assert.rejects(client.createCollection(name), kv.AlreadyExists);
  await client.writeAll([...Array(25).keys()].map((place) => item.write('put',
    { record: { shelf: 'b', place, data: null } })));
  const places = [];
  for await (const record of item.scan({ prefix: ['b'] }, 10)) {
    places.push(record.place);
  }
  assert.deepEqual(places, [...Array(25).keys()]);

  const add = async (transaction) => {
    const inside = transaction.schema(name, 'item');
    const counter = await inside.get({ shelf: 'count', place: 1 });
    const before = counter === null ? 0 : Number(new TextDecoder().decode(kv.bytesOf(counter.data)));
    await inside.put({ shelf: 'count', place: 1, data: new TextEncoder().encode(String(before + 1)) });
    return transaction;
  };
  const [one] = await Promise.all([1, 2, 3].map(() => client.runTransaction(add)));
  assert.equal((await client.ask(one.id, one.anchor)).outcome, 'committed');
  const counted = await item.get({ shelf: 'count', place: 1 });
  assert.equal(new TextDecoder().decode(kv.bytesOf(counted.data)), '3');
  await client.dropCollection(name);
});
