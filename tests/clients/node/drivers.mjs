// Runs one driver against one server and prints what it gave as one JSON document.
// node drivers.mjs MODULES DRIVER SCENARIO '{"host", "port", "user", "password", "database"}'
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, driver, scenario, server] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/package.json`));
const options = JSON.parse(server);

const plain = (value) =>
  JSON.parse(
    JSON.stringify(value, (_, item) =>
      typeof item === "bigint" ? `${item}n` : item instanceof Uint8Array ? Buffer.from(item).toString("hex") : item,
    ),
  );

const state = async (promise) => promise.then(() => "no error", (error) => error.code);

const CUSTOMERS = "SELECT id, name, email, joined, active, seen FROM sales.customers WHERE id > $1 ORDER BY id";
const TYPED = process.env.TYPED;

const pg = {
  async connect() {
    const { Client } = require("pg");
    const client = new Client(options);
    await client.connect();
    return client;
  },
  async rows(client) {
    const all = await client.query({ text: `SELECT ${TYPED}`, rowMode: "array" });
    return [plain(all.rows), all.fields.map((f) => [f.name, f.dataTypeID, f.dataTypeModifier, f.dataTypeSize])];
  },
  async parameters(client) {
    const customers = await client.query(CUSTOMERS, [280]);
    const orders = await client.query(
      "SELECT id, amount FROM sales.orders WHERE placed > $1 AND id = ANY($2) AND amount > $3 ORDER BY id",
      [new Date("2024-01-01T03:00:00Z"), [100, 200, 1999], "1.5"],
    );
    return [customers.rows, customers.rowCount, customers.command, orders.rows];
  },
  async prepared(client) {
    const found = [];
    for (const low of [290, 295])
      found.push((await client.query({ name: "customers", text: CUSTOMERS, values: [low] })).rows);
    return found;
  },
  async cursors(client) {
    const Cursor = require("pg-cursor");
    await client.query("BEGIN");
    const cursor = client.query(new Cursor("SELECT n, label FROM numbers WHERE n >= $1 ORDER BY n", [5]));
    const first = await cursor.read(3);
    const second = await cursor.read(1000);
    await cursor.close();
    await client.query("COMMIT");
    const QueryStream = require("pg-query-stream");
    const stream = client.query(new QueryStream("SELECT n FROM numbers WHERE n < $1 ORDER BY n", [7000], { batchSize: 500 }));
    let count = 0;
    let sum = 0;
    for await (const row of stream) {
      count += 1;
      sum += row.n;
    }
    const left = client.query(new QueryStream("SELECT n FROM numbers ORDER BY n", [], { batchSize: 50 }));
    const few = [];
    for await (const row of left) {
      few.push(row.n);
      if (few.length === 5) break;
    }
    return [first, second.length, second.at(-1), count, sum, few, (await client.query("SELECT 1 AS one")).rows];
  },
  async transactions(client) {
    await client.query("BEGIN");
    const failed = await state(client.query("SELECT 1 / 0"));
    const refused = await state(client.query("SELECT 1"));
    await client.query("ROLLBACK");
    return [failed, refused, (await client.query("SELECT count(*) FROM sales.orders")).rows];
  },
  async errors(client) {
    const found = [];
    for (const text of ["SELECT * FROM absent", "SELECT nope FROM sales.orders", "SELEC 1", "SELECT 1 / 0"])
      found.push(await state(client.query(text)), await state(client.query(text, [])));
    const many = await client.query("SELECT 1 AS a; SELECT 'x' AS b, 2 AS c");
    return [found, many.map((result) => result.rows)];
  },
  end: (client) => client.end(),
};

const postgres = {
  async connect() {
    return require("postgres")({ ...options, username: options.user, max: 1, onnotice: () => {} });
  },
  async rows(sql) {
    const all = await sql.unsafe(`SELECT ${TYPED}`).values();
    return [plain([...all]), all.columns.map((c) => [c.name, c.type])];
  },
  async parameters(sql) {
    const customers = await sql`
      SELECT id, name, email, joined, active, seen FROM sales.customers WHERE id > ${280} ORDER BY id`;
    const orders = await sql`
      SELECT id, amount FROM sales.orders WHERE placed > ${new Date("2024-01-01T03:00:00Z")}
      AND id IN ${sql([100, 200, 1999])} AND customer_id = ANY(${[101, 201, 200]}) ORDER BY id`;
    return [plain([...customers]), customers.count, customers.command, plain([...orders])];
  },
  async prepared(sql) {
    const found = [];
    for (const low of [290, 295])
      found.push(plain([...(await sql`SELECT id, name FROM sales.customers WHERE id > ${low} ORDER BY id`)]));
    return [found, plain(await sql`SELECT id, amount FROM sales.orders WHERE id > ${1}`.describe()).columns.length];
  },
  async cursors(sql) {
    const found = [];
    for await (const rows of sql`SELECT n, label FROM numbers WHERE n >= ${5} ORDER BY n`.cursor(400)) {
      found.push([rows.length, plain(rows[0])]);
      if (found.length === 3) break;
    }
    return found;
  },
  async transactions(sql) {
    const inner = [];
    const found = await sql.begin(async (block) => {
      inner.push(await state(block.savepoint((nested) => nested`SELECT 1 / 0`)));
      return block`SELECT count(*) FROM sales.orders`;
    });
    return [inner, plain([...found])];
  },
  async errors(sql) {
    const found = [];
    for (const text of ["SELECT * FROM absent", "SELECT nope FROM sales.orders", "SELEC 1", "SELECT 1 / 0"])
      found.push(await state(sql.unsafe(text)));
    return found;
  },
  end: (sql) => sql.end(),
};

const chosen = { pg, postgres }[driver];
const connection = await chosen.connect();
console.log(JSON.stringify(await chosen[scenario](connection)));
await chosen.end(connection);
