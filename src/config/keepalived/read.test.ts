// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { exitCodeOf, formatDiagnostic, type ReadResult, readKeepalivedConf } from './read.js';

const PATH = '/etc/keepalived/keepalived.conf';

const read = (text: string, configId = 'main'): ReadResult =>
  readKeepalivedConf(PATH, { configId, texts: new Map([[PATH, text]]) });

/** The problems as `line:column: message`. */
const problems = (result: ReadResult): string[] =>
  result.diagnostics.map(({ place, message }) => `${place.line}:${place.column}: ${message}`);

const instance = (body: string): string => `vrrp_instance A {\n interface eth0\n virtual_router_id 51\n${body}\n}\n`;

describe('keepalived.conf(5): the shape of a file', () => {
  it('reads blocks whose brace stands on the line, on the next line, or glued to the word', () => {
    const { conf, diagnostics } = read(
      'vrrp_instance A\n{\n interface eth0\n virtual_router_id 1\n authentication{\n auth_type PASS\n auth_pass x }\n' +
        ' virtual_ipaddress { 10.0.0.1/24 }\n}\n',
    );
    expect(diagnostics).toEqual([]);
    expect(conf.instances.get('A')).toMatchObject({
      auth: { type: 'PASS', password: 'x' },
      addresses: [{ ip: '10.0.0.1', prefix: 24 }],
    });
  });

  it('ends a comment at the line, and starts none inside quotes', () => {
    const { conf, diagnostics } = read(`! c\n${instance(' priority 7 # seven\n notify "/bin/x #1 !2"! y')}`);
    expect(diagnostics).toEqual([]);
    expect(conf.instances.get('A')).toMatchObject({ priority: 7, notifies: { any: { argv: ['/bin/x', '#1', '!2'] } } });
  });

  it('joins, keeps apart and escapes as "Quoted strings" says', () => {
    const { conf } = read('vrrp_script s {\n script "/bin/a b" c\\ d \'e "f\' \\x41\\102\\tz\n}');
    expect(conf.scripts.get('s')?.command?.argv).toEqual(['/bin/a', 'b', 'c d', 'e "f', 'AB\tz']);
  });

  it('keeps single-quoted arguments of a quoted script together', () => {
    const { conf } = read('vrrp_script s {\n script "/bin/sh -c \'exit 1\'"\n}');
    expect(conf.scripts.get('s')?.command?.argv).toEqual(['/bin/sh', '-c', 'exit 1']);
  });

  it('names every unknown word with its place, and what may be meant', () => {
    const result = read(`${instance('  prioritty 100\n  foo 1 {\n   bar\n  }')}vrrp_instanc B {\n}\n`);
    expect(problems(result)).toEqual([
      '4:3: unknown word prioritty in vrrp_instance A; did you mean priority?',
      '5:3: unknown word foo in vrrp_instance A',
      '9:1: unknown word vrrp_instanc, ignored, with the block behind it; did you mean vrrp_instance?',
    ]);
    expect(exitCodeOf(result.diagnostics)).toBe(4);
  });

  it('tells a missing { and goes on as if it stood there', () => {
    const result = read('vrrp_script chk\n script "/bin/true"\n}\n');
    expect(problems(result)).toEqual(['1:1: vrrp_script chk has no { behind it: taken as if it stood there']);
    expect(result.conf.scripts.get('chk')?.command?.argv).toEqual(['/bin/true']);
  });

  it('tells a missing } where the next block shows it, or at the end', () => {
    expect(problems(read('vrrp_script chk {\n script /bin/true\nvrrp_instance A {\n}\n'))[0]).toBe(
      '3:1: a } is missing before vrrp_instance: the block of vrrp_script chk is still open',
    );
    expect(problems(read('global_defs {\n script_user root\n'))).toEqual([
      '1:1: the block of global_defs is not closed: a } is missing',
    ]);
  });

  it('tells a } too many, a quote without end, a value too many and a value too few', () => {
    expect(problems(read(`${instance(' priority 1 2\n notify_master\n router "x')}}\n`))).toEqual(
      expect.arrayContaining([
        '8:1: a } too many',
        '6:9: the quote " that starts here does not end on this line',
        '4:13: priority: what is 2 for? ignored',
        '5:2: notify_master needs a value',
      ]),
    );
  });

  it('takes web pages with no-break spaces, and says so once', () => {
    const result = read(instance('\u00a0 \u00a0 priority\u00a0 7\n\u00a0'));
    expect(result.conf.instances.get('A')?.priority).toBe(7);
    expect(problems(result)).toEqual(['4:1: no-break spaces, here and further on, are taken for spaces']);
  });

  it('never throws, whatever the text', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '{',
        '}',
        '"',
        "'",
        '\n',
        '#',
        '!',
        '$A=\\\n',
        '${A}',
        '@main ',
        'vrrp_instance A',
        'include *',
        '\\',
      ),
      fc.constantFrom(
        'virtual_ipaddress',
        'priority 1',
        'track_script',
        'vrrp_script s',
        'weight',
        '10.0.0.1/33',
        '~SEQ(a,1,2)',
      ),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        read(pieces.join(' ')).diagnostics.map(formatDiagnostic);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('keepalived.conf(5): conditions and definitions', () => {
  it('@id and @^id', () => {
    const text = instance(' @main priority 1\n @other priority 2\n @^main advert_int 3\n @^other advert_int 4');
    expect(read(text, 'main').conf.instances.get('A')).toMatchObject({ priority: 1, interval_ms: 4000 });
    expect(read(text, 'other').conf.instances.get('A')).toMatchObject({ priority: 2, interval_ms: 3000 });
  });

  it('replaces at the place of use, recursively, with or without braces', () => {
    const text = `$BASE=10.2.\${SUB}\n$SUB=0\n$P=7\n${instance(' priority $P\n virtual_ipaddress {\n ${BASE}.100/32\n $SUB=10\n ${BASE}.100/32\n }')}`;
    const { conf, diagnostics } = read(text);
    expect(diagnostics).toEqual([]);
    expect(conf.instances.get('A')?.priority).toBe(7);
    expect(conf.instances.get('A')?.addresses.map((a) => a.ip)).toEqual(['10.2.0.100', '10.2.10.100']);
  });

  it('definitions of several lines stand for several lines, with conditions in them', () => {
    const text =
      '$I= \\\n vrrp_instance VI_${N} { \\\n interface eth${N} \\\n virtual_router_id ${N} \\\n @main priority 9 \\\n @x priority 8 \\\n }\n' +
      '$N=1\n$I\n$N=2\n$I\n';
    const { conf, diagnostics } = read(text);
    expect(diagnostics).toEqual([]);
    expect([...conf.instances.values()].map((i) => [i.name, i.interface, i.vrid, i.priority])).toEqual([
      ['VI_1', 'eth1', 1, 9],
      ['VI_2', 'eth2', 2, 9],
    ]);
  });

  it('leaves undefined names alone, and knows the predefined ones', () => {
    const { conf } = read(instance(' notify "${_PWD}/n ${_INSTANCE} ${_HASH} ${UNKNOWN} $X"'));
    expect(conf.instances.get('A')?.notifies.any?.argv).toEqual(['/etc/keepalived/n', 'main', '#', '${UNKNOWN}', '$X']);
  });

  it('reports a definition by itself, and ~SEQ', () => {
    expect(problems(read('$A=${A}x\n${A}\n'))).toEqual(['2:1: a $NAME is defined by itself']);
    expect(problems(read('~SEQ(N,1,3) x\n'))[0]).toMatch(/^1:1: ~SEQ and ~LST blocks are not handled/);
  });

  it('gives a column in what was written, not in what it was replaced by', () => {
    expect(problems(read(`$LONG=xxxxxxxxxxxxxxxx\n${instance(' ${LONG} 1')}`))[0]).toMatch(/^5:2: unknown word xxxx/);
  });
});

describe('keepalived.conf(5): include', () => {
  let directory = '';
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const files = (content: Record<string, string>): ReadResult => {
    directory = mkdtempSync(join(tmpdir(), 'tanist-conf-'));
    mkdirSync(join(directory, 'conf.d'));
    for (const [name, text] of Object.entries(content)) writeFileSync(join(directory, name), text);
    return readKeepalivedConf(join(directory, 'main.conf'));
  };

  it('follows wildcards and braces, in order, relative to the including file', () => {
    const { conf, diagnostics } = files({
      'main.conf': 'include conf.d/*.conf\ninclude {one,two}.conf\n',
      'conf.d/b.conf': 'vrrp_script b {\n script /b\n}\n',
      'conf.d/a.conf': 'include sub.inc\n',
      'conf.d/sub.inc': 'vrrp_script a {\n script /a\n}\n',
      'one.conf': 'vrrp_script one {\n script /1\n}\n',
      'two.conf': 'vrrp_script two {\n script /2\n}\n',
    });
    expect(diagnostics).toEqual([]);
    expect([...conf.scripts.keys()]).toEqual(['a', 'b', 'one', 'two']);
  });

  it('is silent about an empty wildcard, not about a missing file', () => {
    const { diagnostics } = files({ 'main.conf': 'include conf.d/*.conf\ninclude none.conf\nincludea conf.d/*.x\n' });
    expect(diagnostics.map((d) => [d.place.line, d.message])).toEqual([
      [2, 'include: no file matches none.conf'],
      [3, 'includea: no file matches conf.d/*.x'],
    ]);
  });

  it('ends when a file includes itself', () => {
    expect(files({ 'main.conf': 'include main.conf\n' }).diagnostics.at(-1)?.message).toMatch(/more than 64 files/);
  });

  it('names the included file in a report', () => {
    const { diagnostics } = files({ 'main.conf': 'include conf.d/x.conf\n', 'conf.d/x.conf': '\nfoo\n' });
    expect(diagnostics[0]?.place).toMatchObject({ file: join(directory, 'conf.d/x.conf'), line: 2, column: 1 });
  });

  it('cannot run without its file', () => {
    expect(exitCodeOf(readKeepalivedConf('/nonexistent/keepalived.conf').diagnostics)).toBe(3);
  });
});

describe('keepalived.conf(5): values', () => {
  it.each([
    ['priority 300', 'priority: 300 is not a whole number from 1 to 255'],
    ['virtual_router_id 0', 'virtual_router_id: 0 is not a whole number from 1 to 255'],
    ['advert_int 0.005', 'advert_int: 0.005 is not a number of seconds from 0.01 to 255'],
    ['preempt_delay 2000', 'preempt_delay: 2000 is not a number of seconds from 0 to 1000'],
    ['state BAKCUP', 'state BAKCUP is neither MASTER nor BACKUP: taken as BACKUP'],
    ['state SLAVE', 'state SLAVE is neither MASTER nor BACKUP: taken as BACKUP'],
    ['strict_mode maybe', 'strict_mode: maybe is neither on, true, yes nor off, false, no'],
    ['mcast_src_ip 1.2.3', 'mcast_src_ip: 1.2.3 is not an IP address: ignored'],
    ['unicast_peer {\n 1.2.3.400\n }', 'unicast_peer: 1.2.3.400 is not an IP address: skipped'],
    ['use_vmac', 'use_vmac: virtual MAC addresses are not handled: the address moves by gratuitous ARP instead'],
    ['track_script {\n s weight 300\n }', 'weight must be -253 to 253'],
    ['virtual_ipaddress {\n 10.0.0.1/33\n }', '10.0.0.1/33 is not an IP address, with or without /prefix: skipped'],
    ['virtual_ipaddress {\n 10.0.0.1 scope foo\n }', 'scope foo is none of global, site, link, host, nowhere: ignored'],
    ['virtual_ipaddress {\n 10.0.0.1 lable x\n }', 'unknown word lable behind an address; did you mean label?'],
  ])('%s', (word, message) => {
    expect(read(instance(` ${word}`)).diagnostics.map((d) => d.message)).toContain(message);
  });

  it('reads addresses with all that may stand behind them', () => {
    const { conf } = read(
      instance(
        ' virtual_ipaddress {\n 192.168.200.18/24 brd + dev eth2 label eth2:1 scope link no_track noprefixroute\n 10.0.0.1/255.255.0.0 peer 10.0.0.2\n 2001:DB8::1 preferred_lft forever -nodad home\n }',
      ),
    );
    expect(conf.instances.get('A')?.addresses).toMatchObject([
      {
        ip: '192.168.200.18',
        prefix: 24,
        broadcast: '192.168.200.255',
        device: 'eth2',
        label: 'eth2:1',
        scope: 'link',
        noTrack: true,
        noPrefixRoute: true,
      },
      { ip: '10.0.0.1', prefix: 16, peer: '10.0.0.2' },
      { ip: '2001:db8::1', prefix: null, deprecated: false, home: true },
    ]);
  });

  it('reads scripts, notifies, peers and tracking', () => {
    const { conf, diagnostics } = read(
      `vrrp_script chk {\n script "/c 127.0.0.1"\n interval 2.5\n timeout 1\n fall 3\n rise 2\n weight -20 reverse\n user bob staff\n init_fail\n}
track_file f {\n file "/run/f"\n weight 5\n init_file 3 overwrite\n}
vrrp_track_process p {\n process redis-server "x y"\n param_match initial\n quorum 2\n delay 0.5\n full_command\n}
${instance(' track_script {\n chk weight 10 reverse\n }\n track_process {\n p\n }\n notify_master "/m 1 2" bob\n unicast_peer {\n 10.0.0.2 min_ttl 250 max_ttl 255\n }')}`,
    );
    expect(diagnostics).toEqual([]);
    expect(conf.scripts.get('chk')).toMatchObject({
      interval_ms: 2500,
      timeout_ms: 1000,
      fall: 3,
      rise: 2,
      weight: -20,
      reverse: true,
      initFail: true,
      command: { argv: ['/c', '127.0.0.1'], user: { user: 'bob', group: 'staff' } },
    });
    expect(conf.files.get('f')).toMatchObject({ path: '/run/f', weight: 5, init: { value: 3, overwrite: true } });
    expect(conf.processes.get('p')).toMatchObject({
      argv: ['redis-server', 'x y'],
      match: 'initial',
      quorum: 2,
      forkDelay_ms: 500,
      terminateDelay_ms: 500,
      fullCommand: true,
    });
    expect(conf.instances.get('A')).toMatchObject({
      tracking: { scripts: [{ name: 'chk', weight: 10, reverse: true }], processes: [{ name: 'p', weight: null }] },
      notifies: { master: { argv: ['/m', '1', '2'], user: { user: 'bob', group: null } } },
      peers: [{ address: '10.0.0.2', minTtl: 250, maxTtl: 255 }],
    });
  });

  it('parses what belongs to IPVS, and says that it is not handled', () => {
    const result = read(
      'virtual_server 10.0.0.1 80 {\n lb_algo rr\n real_server 10.0.0.2 80 {\n TCP_CHECK {\n }\n }\n}\n',
    );
    expect(problems(result)).toEqual(['1:1: virtual_server: load balancing (IPVS) is not handled']);
  });

  it('warns, and no more, about words without any bearing on VRRP', () => {
    const result = read('global_defs {\n notification_email {\n a@b.c\n }\n router_id x\n smtp_server 127.0.0.1\n}\n');
    expect(exitCodeOf(result.diagnostics)).toBe(0);
    expect(result.diagnostics).toHaveLength(3);
  });
});
