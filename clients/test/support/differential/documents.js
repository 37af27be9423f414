// Random documents: valid ones, documents with mistakes, and sequences of tokens.

import { getNamedType, isCompositeType, isNonNullType, SchemaMetaFieldDef, TypeMetaFieldDef } from 'graphql';

/** Returns a function that returns random numbers from 0 to 1, which depend only on the seed. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const names = [
  'cvms', 'cvm', 'node', 'nodes', 'id', 'vmId', 'name', 'edges', 'pageInfo', 'totalCount', '__typename', '__type', '__schema', 'fields', 'hosted', 'first', 'last',
  'after', 'if', 'on', 'query', 'mutation', 'subscription', 'fragment', 'true', 'false', 'null', 'skip', 'include', 'defer', 'deprecated', 'Cvm', 'Query', 'Node',
  'Int', 'ID', 'String', 'Boolean', 'PageInfo', 'nope', 'F0', 'F1', 'v0', 'A', '_entities', '_service', 'sdl', 'Int64', '__Type', 'type', 'extend',
];
const values = [
  '0', '1', '-1', '2.5', '1e3', '""', '"a"', '"Q3ZtOmE"', '"""b"""', '"""\n  two\n    lines\n  """', 'true', 'false', 'null', 'ENUM', '[]', '["a"]', '[1, [2]]', '{}',
  '{a: "b"}', '{__typename: "Cvm", vmId: "a"}', '$v0', '$v1', '$nope', '99999999999', '"\\u00e9"', '"\\u{1F600}"', '"é 😀"',
];
const punctuators = ['{', '}', '(', ')', '[', ']', ':', '=', '!', '$', '@', '...', '|', '&', ','];
const garbage = [
  "'", "'a'", '"', '"abc', '"""', '"""abc', '"a\nb"', '"\\q"', '"\\u12"', '"\\u{110000}"', '"\\u{}"', '"\\uD83D"', '"\\uD83D\\uDE00"', '01', '-', '-01', '1.', '1.e3', '1e', '1e+', '0xF', '1a', '1.5.2',
  '.', '..', '....', '?', '%', ';', '\\', '`', '~', '^', '*', '/', '<', '>', '+', '\u0000', '\u0007', '\u007f', '\u00a0', '\u2028', 'é', '😀', '€', '-a', '"\u0001"',
];
const ignored = [' ', ' ', ' ', '  ', '\n', '\n', '\r\n', '\r', '\t', ',', ' # comment\n', ' # é 😀 comment\r\n', ' #\r', '\ufeff', '\n\n  '];

/** Returns a function that returns random requests of a schema. */
export function requests(schema, random) {
  const writer = new Writer(schema, random);
  return () => {
    const kind = random();
    if (kind < 0.08) return { query: writer.tokens() };
    const request = writer.request();
    if (kind < 0.45) return { ...request, query: writer.spaced(request.query) };
    if (kind < 0.7) return { ...request, query: writer.broken(request.query) };
    return { ...request, query: writer.mistaken(request.query) };
  };
}

class Writer {
  constructor(schema, random) {
    Object.assign(this, { schema, random });
  }

  chance = (p) => this.random() < p;
  below = (n) => Math.floor(this.random() * n);
  pick = (list) => list[this.below(list.length)];
  times = (n, item) => Array.from({ length: n }, item);

  /** Returns a random request that is probably valid. */
  request() {
    Object.assign(this, { fragments: [], variables: [], aliases: 0 });
    const operations = this.times(this.chance(0.9) ? 1 : 2, (_, i) => this.operation(i));
    const several = operations.length > 1;
    const parts = operations.map(({ variables, directives, body }, i) => {
      const name = several || this.chance(0.3) ? ` Op${i}` : '';
      const definitions = variables.map(({ name, type, value }) => `$${name}: ${type}${value ? ` = ${value}` : ''}`);
      const header = `query${name}${definitions.length ? `(${definitions.join(', ')})` : ''}${directives}`;
      return header === 'query' && this.chance(0.7) ? body : `${header} ${body}`;
    });
    for (const { name, type, body } of this.fragments) parts.splice(this.below(parts.length + 1), 0, `fragment ${name} on ${type} ${body}`);
    const request = { query: parts.join(' ') };
    if (several ? this.chance(0.8) : this.chance(0.05)) request.operationName = this.pick(['Op0', 'Op1', 'Op0', 'nope', '']);
    const used = operations.flatMap(({ variables }) => variables);
    if (used.length > 0 && this.chance(0.9)) request.variables = `{${used.map(({ name, type }) => `"${name}":${this.json(type)}`).join(',')}}`;
    return request;
  }

  operation() {
    this.variables = [];
    const body = this.selections(this.schema.getQueryType(), 0);
    return { variables: this.variables, directives: this.chance(0.02) ? ' @skip(if: true)' : '', body };
  }

  /** Returns the JSON of a value for a variable, mostly of its type. */
  json(type) {
    if (this.chance(0.1)) return this.pick(['null', '1', '"a"', 'true', '[]', '{}', '1.5']);
    if (type.startsWith('[')) return `[${this.json(type.slice(1))}]`;
    return this.pick({ I: ['0', '1', '5'], S: ['"a"', '""', '"PageInfo"'], B: ['true', 'false'], _: ['{"__typename":"Cvm","vmId":"a"}'] }[type[0]] ?? ['"Q3ZtOmE"']);
  }

  selections(type, depth) {
    const count = 1 + this.below(depth > 3 ? 2 : 4);
    return `{ ${this.times(count, () => this.selection(type, depth)).join(' ')} }`;
  }

  selection(type, depth) {
    const kind = this.random();
    if (kind < 0.1 && depth < 6) return `... on ${type.name}${this.directives(true)} ${this.selections(type, depth + 1)}`;
    if (kind < 0.14 && depth < 6) return `...${this.directives(true)} ${this.selections(type, depth + 1)}`;
    if (kind < 0.22 && depth < 6 && this.fragments.length < 4) {
      const name = `F${this.fragments.length}`;
      const fragment = { name, type: type.name };
      this.fragments.push(fragment);
      fragment.body = this.selections(type, depth + 1);
      return `...${name}${this.directives(true)}`;
    }
    return this.field(type, depth);
  }

  field(type, depth) {
    const fields = Object.values(type.getFields?.() ?? {});
    if (type === this.schema.getQueryType()) fields.push(SchemaMetaFieldDef, TypeMetaFieldDef);
    const usable = depth > 5 ? fields.filter((field) => !isCompositeType(getNamedType(field.type))) : fields;
    if (usable.length === 0 || this.chance(0.08)) return `${this.alias()}__typename${this.directives()}`;
    const field = this.pick(usable);
    const named = getNamedType(field.type);
    const args = field.args.filter((arg) => isNonNullType(arg.type) || this.chance(0.3)).map((arg) => `${arg.name}: ${this.value(arg)}`);
    const body = isCompositeType(named) ? ` ${this.selections(named, depth + 1)}` : '';
    return `${this.alias()}${field.name}${args.length ? `(${args.join(', ')})` : ''}${this.directives()}${body}`;
  }

  alias() {
    if (this.aliases > 20 || !this.chance(0.2)) return '';
    this.aliases++;
    return `${this.pick(['a', 'b', 'c', 'd', `x${this.aliases}`])}: `;
  }

  directives(fragment = false) {
    if (!this.chance(0.12)) return '';
    const condition = this.chance(0.3) ? this.variable('Boolean!') : this.pick(['true', 'false']);
    if (fragment && this.chance(0.2)) return this.pick([' @defer', ` @defer(if: ${condition})`, ' @defer(label: "l")']);
    return ` @${this.pick(['skip', 'include'])}(if: ${condition})`;
  }

  /** Returns a value of an argument. */
  value({ name, type }) {
    if (this.chance(0.25)) return this.variable(String(type));
    if (!isNonNullType(type) && this.chance(0.1)) return 'null';
    const plain = String(type).replace(/!/g, '');
    if (plain.startsWith('[')) {
      const element = plain === '[_Any]' ? ['{__typename: "Cvm", vmId: "a"}', '{__typename: "Cvm"}', '{}'] : ['"Q3ZtOmE"', '"a"', '1'];
      return `[${this.times(this.below(3), () => this.pick(element)).join(', ')}]`;
    }
    if (name === 'first' || name === 'last') return this.pick(['0', '1', '2', '5', '5', '-1', '1001']);
    return this.pick({ Int: ['0', '1', '5'], Boolean: ['true', 'false'], String: ['"a"', '""', '"PageInfo"', '"Cvm"', '"usr_a"', '"""0"""'] }[plain] ?? ['"Q3ZtOmE"', '"a"', '1', '""']);
  }

  /** Defines a variable that may be used in a position of a type, or uses one again. */
  variable(type) {
    const same = this.variables.filter((v) => v.type === type);
    if (same.length > 0 && this.chance(0.5)) return `$${this.pick(same).name}`;
    const variable = { name: `v${this.variables.length}`, type };
    if (!type.endsWith('!') && this.chance(0.3)) variable.value = this.pick({ I: ['1', 'null'], S: ['"a"', 'null'], B: ['true', 'null'] }[type[0]] ?? ['null']);
    if (this.chance(0.05)) variable.type = this.pick(['Int', 'String', 'ID!', 'Boolean', '[ID!]!', 'nope']);
    this.variables.push(variable);
    return `$${variable.name}`;
  }

  /** Returns a random sequence of tokens. */
  tokens() {
    const token = () => this.pick(this.pick([names, values, punctuators, punctuators, this.chance(0.2) ? garbage : names]));
    return this.times(this.below(14), token).join(this.pick(ignored));
  }

  split = (query) => query.match(/"""[^]*?"""|"(?:\\.|[^"\\])*"|\.\.\.|\$?\w+|-?[\d.]+|[^\s\w]/gu) ?? [];

  /** Returns the document with random characters that have no meaning. */
  spaced(query) {
    if (this.chance(0.3)) return query;
    const space = () => (this.chance(0.7) ? ' ' : this.pick(ignored));
    return this.split(query).map((token) => space() + token).join('') + (this.chance(0.3) ? space() : '');
  }

  /** Returns the document with a few mistakes in its tokens. */
  broken(query) {
    const tokens = this.split(query);
    for (let n = 1 + this.below(2); n > 0; n--) {
      const i = this.below(tokens.length);
      const mistakes = [
        () => tokens.splice(i, 1),
        () => tokens.splice(i, 0, tokens[i]),
        () => tokens.splice(i, 2, ...tokens.slice(i, i + 2).reverse()),
        () => tokens.splice(i, 0, this.pick(punctuators)),
        () => tokens.splice(i, 1, this.pick(punctuators)),
        () => tokens.splice(i, 0, this.pick(garbage)),
        () => tokens.splice(i, 1, this.pick(garbage)),
        () => tokens.splice(i),
        () => tokens.splice(i, 0, this.pick(names)),
        () => tokens.splice(i, 0, this.pick(values)),
      ];
      this.pick(mistakes)();
    }
    return this.spaced(tokens.join(' '));
  }

  /** Returns the document with a few mistakes that are no syntax errors, if possible. */
  mistaken(query) {
    let text = query;
    for (let n = 1 + this.below(2); n > 0; n--) text = this.pick(this.chance(0.5) ? replacements : additions)(text, this);
    return this.spaced(text);
  }
}

/** Returns a mistake that replaces one of the parts that match. */
const replacement = (pattern, replacements) => (text, w) => {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const { index, 0: match } = w.pick(found);
  return text.slice(0, index) + w.pick(replacements)(match, w) + text.slice(index + match.length);
};

const replacements = [
  replacement(/\b[a-z]\w+\b/gi, [(_, w) => w.pick(names)]),
  replacement(/\b[a-z]\w+\b/gi, [(_, w) => w.pick(names)]),
  replacement(/"[^"]*"|\b\d+\b|\btrue\b|\bfalse\b|\bnull\b/g, [(_, w) => w.pick(values)]),
  replacement(/"[^"]*"|\b\d+\b|\btrue\b|\bfalse\b|\bnull\b/g, [(_, w) => w.pick(values)]),
  replacement(/\([^()]*\)/g, [() => '', (match) => match.replace(/\)$/, ', nope: 1)'), (match) => `${match.slice(0, -1)}, ${match.slice(1)}`, () => '()']),
  replacement(/\$\w+/g, [() => '$nope', () => '$v0', () => '$v1']),
  replacement(/\$\w+: [^,)=]+/g, [(match) => `${match.split(':')[0]}: Int`, (match) => `${match}, ${match}`, (match) => `${match} @skip(if: true)`, (match) => `${match}, $unused: Int`]),
  replacement(/ on \w+/g, [() => ' on nope', () => ' on Int', () => ' on Node', () => ' on Cvm', () => ' on _Entity', () => '']),
  replacement(/@\w+(\([^()]*\))?/g, [() => '@nope', () => '@skip', () => '@include(if: 1)', () => '@skip(if: true) @skip(if: true)', () => '@deprecated', () => '@include(if: true, if: true)', () => '@include(unless: true)', () => '@specifiedBy(url: "a")']),
  replacement(/\bF\d\b/g, [() => 'F9', () => 'F0', () => 'F1']),
  replacement(/\bOp\d\b/g, [() => 'Op0', () => '']),
  replacement(/\bquery\b/g, [() => 'mutation', () => 'subscription', () => '"a description" query', () => '"""a block""" query']),
  replacement(/\{ /g, [() => '{ nope ', () => '{ id ', () => '{ __typename { a } ', () => '{ ...F0 ', () => '{ ...nope ', () => '{ a: id a: name ', () => '{ a: __typename a: id ', () => '{ ... on Cvm { vmId } ', () => '{ ... { ', () => '{ ... @include(if: {}) { __typename } ']),
  replacement(/ \}/g, [() => ' nope }', () => ' }}', () => '', () => ' { id } }', () => ' edges }']),
];

const addition = (suffix) => (text) => `${text} ${suffix}`;

const additions = [
  addition('{ __typename }'),
  addition('query Op0 { __typename }'),
  addition('query Op0 { __typename } query Op0 { __typename }'),
  addition('fragment U on Cvm { id }'),
  addition('fragment F0 on Query { __typename }'),
  addition('fragment A on Query { ...B } fragment B on Query { ...A }'),
  addition('query C { ...A } fragment A on Query { ...B } fragment B on Query { __typename ...A }'),
  addition('query C { ...A } fragment A on Query { ...A }'),
  addition('query C($a: Int) { __typename }'),
  addition('query C { cvms(first: $a) { totalCount } }'),
  addition('query C($a: Int!) { ...A } fragment A on Query { cvms(first: $a, nodeId: $a) { totalCount } }'),
  addition('query C($a: String) { ...A } fragment A on Query { cvms(first: $a) { totalCount } }'),
  addition('mutation M { a }'),
  addition('subscription S { a b }'),
  addition('fragment I on Int { a }'),
  addition('fragment V($a: Int) on Query { __typename }'),
  addition('fragment on on Query { __typename }'),
  addition('type T { a: Int }'),
  addition('extend type Cvm { a: Int }'),
  addition('"description" fragment D on Query { __typename }'),
  addition('# the end'),
  addition(`query L { ${Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ')} }`), // one more than the limit
  addition('query'),
];
