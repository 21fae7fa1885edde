/**
 * Client of Orochi's key-value store, over HTTP. One file, without packages: Node 20 or later, and browsers
 * (whose pages may only read unless a proxy of their own origin stands before the store).
 *
 *   import { Client } from './orochi_kv.mjs';
 *   const client = new Client(['http://127.0.0.1:8001', 'http://127.0.0.1:8002']);
 *   await client.putKey('greeting', 'hello');
 *   await client.getText('greeting');                       // 'hello'
 *
 *   const item = client.schema('shop', 'item');
 *   await item.put({ shelf: 'a', place: 1, count: 5 });
 *   await item.get({ shelf: 'a', place: 1 });
 *
 * What becomes of a request:
 *  - It goes to one node until that fails, then to the next. What certainly did not happen (the connection was
 *    refused, or the node said unavailable or overloaded) is tried again until the timeout. What only reads is
 *    always tried again.
 *  - A write whose outcome is not known is never sent again: OutcomeUnknown is thrown. fetch tells less than
 *    sockets do, so in browsers every lost connection is one. Only of a transaction the outcome can be asked
 *    for (Client.ask); runTransaction does so by itself.
 *
 * Values: null, booleans, numbers, strings. BigInt, and Uint8Array (as base64), are sent in their JSON forms.
 * Integers past 2^53 - 1 come back as strings, so that none is rounded; bytes as base64 (bytesOf undoes it).
 */

const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 500;
const CONNECT_ERRORS = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT']);

/** What all errors of this module are. `code` is the store's, `answer` what it said. */
export class KvError extends Error {
  constructor(message, code = '', answer = {}) {
    super(answer.hint ? `${message} (${answer.hint})` : message);
    this.name = new.target.name;
    this.code = code;
    this.answer = answer;
  }
}
/** It can never succeed. */
export class InvalidArgument extends KvError {}
/** A collection, schema or record that does not exist. */
export class NotFound extends KvError {}
/** A collection or schema of this name exists. */
export class AlreadyExists extends KvError {}
/** Not in the state that the store is in. */
export class FailedPrecondition extends KvError {}
/** A condition did not hold, and nothing was written: `reason`, `failed` (which write), `record`. */
export class ConditionFailed extends KvError {
  constructor(message, answer) {
    super(message, 'condition_failed', answer);
    this.reason = answer.reason;
    this.failed = answer.failed;
    this.record = answer.record ?? null;
  }
}
/** Lost a conflict: run the transaction again from its beginning. */
export class Conflict extends KvError {}
/** The transaction ended, or was idle too long. */
export class TransactionGone extends KvError {}
/** Of a state that the store has forgotten. */
export class TooOld extends KvError {}
/** No token, or one without the right. */
export class Forbidden extends KvError {}
/** The node does not know this request. */
export class Unsupported extends KvError {}
/** Nothing happened, at no node, until the timeout. */
export class Unavailable extends KvError {}
/** It may or may not have happened. Of a commit, `transaction` and `anchor` are what Client.ask takes. */
export class OutcomeUnknown extends KvError {
  transaction = '';
  anchor = '';
}
/** What only reads got no answer in time. */
export class Timeout extends KvError {}
/** The store is damaged or has a bug. */
export class StoreError extends KvError {}

const ERRORS = new Map(Object.entries({
  invalid_argument: InvalidArgument, bad_request: InvalidArgument, unsupported: InvalidArgument,
  not_found: NotFound, no_such_route: Unsupported, method_not_allowed: Unsupported, conflict: Conflict,
  already_exists: AlreadyExists, failed_precondition: FailedPrecondition,
  transaction_gone: TransactionGone, too_old: TooOld, forbidden: Forbidden, unauthenticated: Forbidden,
  overloaded: Unavailable, unavailable: Unavailable, outcome_unknown: OutcomeUnknown,
  deadline: OutcomeUnknown, corruption: StoreError, internal: StoreError,
}));

/** The bytes of a field of type bytes as it comes back; null of null. */
export function bytesOf(base64) {
  return base64 === null ? null : Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function base64Of(bytes) {
  let text = '';
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  return btoa(text);
}

function toJson(body) {
  return JSON.stringify(body, (_name, value) => {
    if (typeof value === 'bigint') {
      return value.toString();
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      return String(value); // "NaN", "Infinity", "-Infinity"
    }
    return value instanceof Uint8Array ? base64Of(value) : value;
  });
}

const quoted = encodeURIComponent;
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, Math.max(0, ms)); });

function pause(attempt, until) {
  const most = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(attempt, 10));
  return sleep(Math.min(most * (0.5 + Math.random() / 2), until - Date.now()));
}

/** Asks the nodes of a cluster. */
export class Client {
  #nodes;
  #downUntil;
  #preferred = 0;
  #token;
  #readAttemptMs;

  /**
   * @param {string[]|string} nodes addresses: 'http://host:port', or 'host:port'
   * @param {{token?: string, timeoutMs?: number, readAttemptMs?: number}} options timeoutMs is of each call
   *   with all its attempts
   */
  constructor(nodes, { token, timeoutMs = 10_000, readAttemptMs = 3_000 } = {}) {
    const list = typeof nodes === 'string' ? nodes.split(',') : [...nodes];
    if (list.length === 0) {
      throw new InvalidArgument('no address of a node is given');
    }
    this.#nodes = list.map((text) => {
      const address = /^https?:\/\//.test(text) ? text : `http://${text}`;
      if (text.startsWith('unix:') || !URL.canParse(address)) {
        throw new InvalidArgument(`node address '${text}': expected HOST:PORT`);
      }
      return address.replace(/\/+$/, '');
    });
    this.#downUntil = this.#nodes.map(() => 0);
    this.#token = token;
    this.#readAttemptMs = readAttemptMs;
    this.timeoutMs = timeoutMs;
  }

  // Simple keys

  /** The bytes under a name; null: there are none. */
  async getKey(key) {
    try {
      return (await this.call('GET', keyPath(key), { reads: true })).bytes;
    } catch (error) {
      if (error instanceof NotFound) {
        return null;
      }
      throw error;
    }
  }

  /** The same as text in UTF-8. */
  async getText(key) {
    const bytes = await this.getKey(key);
    return bytes === null ? null : new TextDecoder().decode(bytes);
  }

  /** Writes bytes (Uint8Array), or text in UTF-8. */
  async putKey(key, value) {
    const body = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    await this.call('POST', keyPath(key), { body, type: 'application/octet-stream', whole: true });
  }

  /** false: there was none. */
  async deleteKey(key) {
    try {
      await this.call('DELETE', keyPath(key), { whole: true });
      return true;
    } catch (error) {
      if (error instanceof NotFound) {
        return false;
      }
      throw error;
    }
  }

  // Collections and schemas

  /** distribution: 'hash', or 'range' for records in the order of keys. */
  createCollection(name, { distribution = 'hash', partitions } = {}) {
    return this.post('/v1/collections', { name, distribution, partitions });
  }

  async collections() {
    return (await this.#get('/v1/collections')).collections;
  }

  collection(name) {
    return this.#get(`/v1/collections/${quoted(name)}`);
  }

  async dropCollection(name) {
    await this.call('DELETE', `/v1/collections/${quoted(name)}`);
  }

  /** `definition` as docs/formats/kv-wire.md has it: name, version, fields, partition_key, range_key. */
  createSchema(collection, definition) {
    return this.post(`/v1/collections/${quoted(collection)}/schemas`, definition);
  }

  async schemas(collection) {
    return (await this.#get(`/v1/collections/${quoted(collection)}/schemas`)).schemas;
  }

  findSchema(collection, schema, version) {
    const tail = version === undefined ? '' : `?version=${version}`;
    return this.#get(`/v1/collections/${quoted(collection)}/schemas/${quoted(schema)}${tail}`);
  }

  /** The records of a schema, each call a transaction of its own. */
  schema(collection, schema, version) {
    return new Records(this, null, collection, schema, version);
  }

  // Several at once

  /** All or none of what Records.write made. Throws ConditionFailed. */
  writeAll(writes) {
    return this.post('/v1/write', { writes }, { whole: true });
  }

  /** Reads, then writes, as one transaction; the answer's `reads` are records or null. */
  batch(reads = [], writes = []) {
    return this.post('/v1/txn', { reads, writes }, { reads: writes.length === 0, whole: true });
  }

  // Transactions

  async begin(isolation = 'serializable') {
    const answer = await this.call('POST', '/v1/txn/begin', { body: toJson({ isolation }), reads: true });
    return new Transaction(this, answer.node, answer.document.transaction);
  }

  /**
   * Begins, runs body(transaction), commits, and answers what body did. After a conflict, and only then, all of
   * it again: so body may run several times. An unknown commit is asked about; OutcomeUnknown is thrown when
   * that stays unknown until the timeout.
   */
  async runTransaction(body, { isolation = 'serializable', attempts = 20 } = {}) {
    const until = Date.now() + this.timeoutMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const transaction = await this.begin(isolation);
        let result;
        try {
          result = await body(transaction);
        } catch (error) {
          await transaction.abortQuietly();
          throw error;
        }
        await this.#commitSurely(transaction, until);
        return result;
      } catch (error) {
        if (!(error instanceof Conflict) || attempt + 1 >= attempts || Date.now() >= until) {
          throw error;
        }
        await pause(attempt, until);
      }
    }
  }

  async #commitSurely(transaction, until) {
    let unknown;
    try {
      await transaction.commit();
      return;
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) {
        throw error;
      }
      unknown = error;
    }
    for (let attempt = 0; ; attempt += 1) {
      let outcome = 'open';
      try {
        ({ outcome } = await transaction.ask());
      } catch (error) {
        if (!(error instanceof KvError)) {
          throw error;
        }
      }
      if (outcome === 'committed') {
        return;
      }
      if (outcome === 'aborted') {
        throw new Conflict(`transaction ${transaction.id} was aborted`, 'conflict');
      }
      if (outcome === 'unknown' || Date.now() >= until) {
        throw unknown;
      }
      await pause(attempt, until);
    }
  }

  /**
   * What became of a transaction: { outcome: 'committed', timestamp }, or aborted, open, unknown. Any node
   * knows when it is given the anchor.
   */
  async ask(transaction, anchor = '', only = undefined) {
    const tail = anchor === '' ? '' : `?anchor=${quoted(anchor)}`;
    let answer;
    try {
      answer = (await this.call('GET', `/v1/txn/${quoted(transaction)}${tail}`, { reads: true, only })).document;
    } catch (error) {
      if (error instanceof NotFound) {
        return { transaction, outcome: 'unknown' };
      }
      throw error;
    }
    if (answer?.outcome === undefined) {
      throw new StoreError(`the answer about transaction ${transaction} has no outcome`);
    }
    return answer;
  }

  // The wire

  async #get(path) {
    return (await this.call('GET', path, { reads: true })).document;
  }

  async post(path, body, options = {}) {
    return (await this.call('POST', path, { ...options, body: toJson(body) })).document;
  }

  /** Any request. reads: asking again does no harm; whole: after a conflict it is sent anew; only: a node. */
  async call(method, path, options = {}) {
    const { reads = false, whole = false, only } = options;
    const until = Date.now() + this.timeoutMs;
    const count = this.#nodes.length;
    const notBefore = this.#nodes.map(() => 0);
    let node = only ?? this.#first();
    for (let attempt = 0; ; attempt += 1) {
      const attemptUntil = reads && count > 1 ? Math.min(until, Date.now() + this.#readAttemptMs) : until;
      let failed;
      try {
        return await this.#askNode(node, method, path, options, attemptUntil);
      } catch (error) {
        const retries = error instanceof Unavailable || (error instanceof OutcomeUnknown && reads)
          || (error instanceof Conflict && whole);
        if (only !== undefined || !retries) {
          throw error;
        }
        failed = error;
      }
      const conflict = failed instanceof Conflict;
      notBefore[node] = Date.now() + (failed.retryAfterMs ?? 0);
      node = conflict ? node : (node + 1) % count;
      if (conflict || (attempt + 1) % count === 0) {
        await pause(Math.floor(attempt / count), until);
      }
      if (notBefore[node] > Date.now()) {
        await sleep(Math.min(notBefore[node], until) - Date.now());
      }
      if (Date.now() >= until) {
        throw failed instanceof OutcomeUnknown ? new Timeout(failed.message, 'timeout') : failed;
      }
    }
  }

  async #askNode(node, method, path, { body, type = 'application/json' }, until) {
    const where = this.#nodes[node];
    const headers = { Accept: 'application/json' };
    if (this.#token) {
      headers.Authorization = `Bearer ${this.#token}`;
    }
    if (body !== undefined) {
      headers['Content-Type'] = type;
    }
    const target = `${where}${path}${path.includes('?') ? '&' : '?'}integers=strings`;
    let response;
    let bytes;
    try {
      const signal = AbortSignal.timeout(Math.max(1, until - Date.now()));
      response = await fetch(target, { method, headers, body, signal });
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      this.#mark(node, false);
      const why = error.cause?.code ?? error.cause?.message ?? error.message;
      const refused = response === undefined && CONNECT_ERRORS.has(error.cause?.code);
      throw refused ? new Unavailable(`${where}: ${why}`, 'unavailable')
        : new OutcomeUnknown(`${method} ${path} at ${where}: ${why}; it may or may not have happened`,
          'outcome_unknown');
    }
    return this.#understand(node, method, path, response, bytes);
  }

  #understand(node, method, path, response, bytes) {
    const where = this.#nodes[node];
    let document = null;
    if ((response.headers.get('Content-Type') ?? '').startsWith('application/json')) {
      try {
        document = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        this.#mark(node, false);
        throw new OutcomeUnknown(`${method} ${path} at ${where}: the answer cannot be read`,
          'outcome_unknown');
      }
    }
    if (response.status < 400) {
      this.#mark(node, true);
      return { status: response.status, document, bytes, node };
    }
    const message = document?.message ?? `${where} answered HTTP ${response.status}`;
    if (response.status === 412) {
      throw new ConditionFailed(message, document ?? {});
    }
    let Kind = ERRORS.get(document?.code);
    if (Kind === undefined) {
      Kind = response.status === 401 || response.status === 403 ? Forbidden
        : response.status < 500 ? InvalidArgument : OutcomeUnknown;
    }
    const error = new Kind(message, document?.code, document ?? {});
    error.retryAfterMs = 1000 * (Number.parseInt(response.headers.get('Retry-After') ?? '0', 10) || 0);
    this.#mark(node, !(error instanceof Unavailable || error instanceof OutcomeUnknown));
    throw error;
  }

  #first() {
    const now = Date.now();
    for (let step = 0; step < this.#nodes.length; step += 1) {
      const node = (this.#preferred + step) % this.#nodes.length;
      if (this.#downUntil[node] <= now) {
        this.#preferred = node;
        return node;
      }
    }
    return this.#preferred;
  }

  #mark(node, up) {
    this.#downUntil[node] = up ? 0 : Date.now() + 500;
  }
}

function keyPath(key) {
  if (key === '') {
    throw new InvalidArgument('a key has one byte or more');
  }
  return `/v1/api/keys/${quoted(key)}`;
}

/** The records of one schema; of a client, or within a transaction. */
export class Records {
  #client;
  #transaction;
  #names;

  constructor(client, transaction, collection, schema, version) {
    this.#client = client;
    this.#transaction = transaction;
    this.#names = version === undefined ? { collection, schema } : { collection, schema, version };
  }

  /** The record, with all its fields; null: there is none. */
  async get(key) {
    try {
      return (await this.#post('read', this.read(key), true)).record;
    } catch (error) {
      if (error instanceof NotFound && 'timestamp' in error.answer) {
        return null;
      }
      throw error;
    }
  }

  /** Writes a whole record. Options of all writes: { condition, returning }. Throws ConditionFailed. */
  put(record, options) {
    return this.#write('put', { record }, options);
  }

  /** The same, if there is none. */
  insert(record, options) {
    return this.#write('insert', { record }, options);
  }

  /** Changes some fields of a record that is there. */
  update(key, set, options) {
    return this.#write('update', { key, set }, options);
  }

  delete(key, options) {
    return this.#write('delete', { key }, options);
  }

  /** Writes nothing, but the condition holds until the transaction ends. */
  check(key, condition) {
    return this.#write('check', { key }, { condition });
  }

  /** All records, page by page, of one state: for await. `query` as docs/guide/kv-http.md has it. */
  async* scan(query = {}, pageRecords = 1000) {
    const body = { page: { records: pageRecords }, ...query, ...this.#names };
    do {
      const answer = await this.#post('query', body, true);
      yield* answer.records;
      body.token = answer.token;
    } while (body.token);
  }

  /** A read, for Client.batch. */
  read(key) {
    return { ...this.#names, key };
  }

  /** A write, for Client.batch and writeAll: parts are record, or key (and set). */
  write(op, parts, { condition, returning } = {}) {
    return { ...this.#names, op, ...parts, if: condition, return: returning };
  }

  #write(op, parts, options) {
    return this.#post('write', this.write(op, parts, options), false);
  }

  #post(what, body, reads) {
    return this.#transaction === null ? this.#client.post(`/v1/${what}`, body, { reads, whole: true })
      : this.#transaction.post(what, body);
  }
}

/**
 * A transaction that lives between calls, at the node that began it. Before commit() nothing of it can come to
 * be, so all errors before that are certain.
 */
export class Transaction {
  #client;
  #node;
  #ended = false;

  constructor(client, node, id) {
    this.#client = client;
    this.#node = node;
    this.id = id;
    this.anchor = '';
  }

  schema(collection, schema, version) {
    return new Records(this.#client, this, collection, schema, version);
  }

  /** It is not idle; idle for a minute it is aborted. */
  async heartbeat() {
    await this.#control('heartbeat');
  }

  /** The commit's timestamp. Throws Conflict, and OutcomeUnknown with what Client.ask needs. */
  async commit() {
    this.#ended = true;
    try {
      return (await this.#control('commit')).timestamp;
    } catch (error) {
      if (error instanceof OutcomeUnknown) {
        this.anchor = error.answer.anchor ?? this.anchor;
        error.transaction = this.id;
        error.anchor = this.anchor;
      }
      throw error;
    }
  }

  async abort() {
    this.#ended = true;
    await this.#control('abort');
  }

  /** Aborts; when that fails, it is aborted once it is idle. */
  async abortQuietly() {
    if (!this.#ended) {
      await this.abort().catch(() => {});
    }
  }

  /** What became of it: its own node is asked first. */
  async ask() {
    const answer = await this.#client.ask(this.id, this.anchor, this.#node).catch(() => null);
    return answer !== null && answer.outcome !== 'unknown' ? answer
      : this.#client.ask(this.id, this.anchor);
  }

  async #control(what) {
    return (await this.#client.call('POST', `/v1/txn/${this.id}/${what}`, { only: this.#node })).document;
  }

  async post(what, body) {
    try {
      const answer = await this.#client.post(`/v1/txn/${this.id}/${what}`, body, { only: this.#node });
      this.anchor = answer.anchor ?? this.anchor;
      return answer;
    } catch (error) {
      if (error instanceof OutcomeUnknown) {
        throw new Unavailable(`${what} of transaction ${this.id} was not answered; nothing of the `
          + 'transaction is committed', 'unavailable');
      }
      throw error;
    }
  }
}
