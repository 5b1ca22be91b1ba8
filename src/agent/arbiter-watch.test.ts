import { describe, expect, it } from 'vitest';
import { ArbiterWatch, mayLead, type Round, type Standing, sentenceOf } from './arbiter-watch.pure.js';

const both: Round = { arbiter: true, peer: true };
const arbiter: Round = { arbiter: true, peer: false };
const peer: Round = { arbiter: false, peer: true };
const nobody: Round = { arbiter: false, peer: false };

/** How the host stands after each round. */
function standings(...rounds: Round[]): Standing[] {
  const watch = new ArbiterWatch();
  return rounds.map((round) => watch.hear(round));
}

describe('the arbiter of a pair', () => {
  it('is unknown until it has answered, or has been silent three times in a row', () => {
    expect(new ArbiterWatch().standing).toBe('unknown');
    expect(standings(peer, nobody, both)).toEqual(['unknown', 'unknown', 'reached']);
    expect(standings(nobody, nobody, nobody)).toEqual(['unknown', 'unknown', 'cut-off']);
  });

  it('is reached at once on one answer, with or without the other host', () => {
    expect(standings(arbiter)).toEqual(['reached']);
    expect(standings(nobody, nobody, nobody, arbiter)).toEqual(['unknown', 'unknown', 'cut-off', 'reached']);
  });

  it('is silent only after three misses in a row', () => {
    expect(standings(both, nobody, nobody, both, nobody, nobody)).not.toContain('cut-off');
    expect(standings(both, nobody, nobody, nobody).at(-1)).toBe('cut-off');
  });

  it('is not missed while the other host can be reached', () => {
    expect(standings(both, peer, peer, peer).at(-1)).toBe('excused');
    expect(standings(both, peer, peer, peer, nobody, nobody).at(-1)).toBe('excused');
    expect(standings(both, peer, peer, peer, nobody, nobody, nobody).at(-1)).toBe('cut-off');
    expect(standings(both, nobody, nobody, nobody, peer).at(-1)).toBe('excused');
  });

  it('lets nobody lead who is cut off, or does not know it yet', () => {
    const all: Standing[] = ['unknown', 'reached', 'excused', 'cut-off'];
    expect(all.filter(mayLead)).toEqual(['reached', 'excused']);
  });

  it('is told in one sentence, with both names', () => {
    expect(sentenceOf('excused', '10.0.0.254', 'b')).toMatch(/10\.0\.0\.254 does not answer; b can be reached/);
    expect(sentenceOf('cut-off', '10.0.0.254', 'b')).toMatch(/10\.0\.0\.254 does not answer, and b cannot be reached/);
  });
});
