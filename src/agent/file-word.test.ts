import { expect, it } from 'vitest';
import { readTanistConfig } from '../config/tanist/read.js';
import { LinkError, type LinkErrorCode } from '../redis/link-error.js';
import { ErrorReply } from '../redis/reply.js';
import { fileWarning, fileWordOf, loginRefusal, readFileWord } from './file-word.js';
import { NoAnswer } from './peers.js';

const THREE = 'hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\n';
const word = (yaml: string, file = '/etc/tanist/tanist.yml') => fileWordOf(readTanistConfig(yaml, file), '0.1.0');

it('is the same for the same file, wherever it stands and however it is written', () => {
  expect(fileWarning('b', word(THREE), word(THREE, '/srv/other.yml'))).toBeNull();
  expect(fileWarning('b', word(THREE), word(`${THREE}lease: 1000\nlog_level: debug\n`))).toBeNull();
});

it('names the parts that differ', () => {
  const other = word(`${THREE}lease: 2s\nvip: 10.0.0.9/24\n`);
  expect(fileWarning('b', word(THREE), other)).toBe(
    'the agent on b runs with another tanist.yml: other lease, vip. Put the same file on all hosts and restart the agents that started before it',
  );
});

it('says what lists of voters further apart than one host may bring about', () => {
  const four = word('hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3, d: 10.0.0.4}\n');
  expect(fileWarning('d', word(THREE), four)).toContain('other hosts, groups. Put the same');
  const five = word('hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3, d: 10.0.0.4, e: 10.0.0.5}\n');
  expect(fileWarning('d', word(THREE), five)).toContain('its voters are a, b, c, d, e, and two lists');
});

it('compares the voters alone with an agent of another version', () => {
  const other = { ...word(`${THREE}lease: 2s\n`), version: '0.2.0' };
  expect(fileWarning('b', word(THREE), other)).toBeNull();
  expect(fileWarning('b', word(THREE), { ...other, voters: ['a', 'b'] })).toContain('other hosts. Put the same');
});

it('tells a login that is refused from other trouble', () => {
  const noAnswer = (code: LinkErrorCode, why: string) => new NoAnswer('b', new LinkError(code, why, false));
  const refusal = /^the agent on b refuses this one's login: sentinel\.password/;
  expect(loginRefusal('b', noAnswer('ERR_LINK_AUTH', 'ERR invalid password'))).toMatch(refusal);
  // We have none, and one is wanted.
  expect(loginRefusal('b', new ErrorReply('NOAUTH Authentication required.'))).toMatch(refusal);
  expect(loginRefusal('b', noAnswer('ERR_LINK_REFUSED', 'refused'))).toBeNull();
  expect(loginRefusal('b', new ErrorReply('ERR no group is named NOAUTH'))).toBeNull();
  expect(loginRefusal('b', 'PONG')).toBeNull();
});

it('keeps secrets to itself', () => {
  const one = word(`${THREE}redis: {password: first}\n`);
  expect(fileWarning('b', one, word(`${THREE}redis: {password: second}\n`))).toBeNull();
});

it('is read again, and nothing else is', () => {
  const own = word(THREE);
  expect(readFileWord(JSON.stringify(own))).toEqual(own);
  expect(readFileWord(new ErrorReply("ERR unknown subcommand 'AGENT'"))).toBeNull();
  expect(readFileWord('{"voters": [1]}')).toBeNull();
});
