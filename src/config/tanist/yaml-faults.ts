/** What is wrong with a text that is not YAML, in words of our own: the library's repeat parts of the text. */
import type { YAMLError } from 'yaml';

interface Fault {
  readonly message: string;
  readonly fix: string;
}

const QUOTE = 'put a value with special characters into quotes: key: "value"';

const FAULTS: Readonly<Partial<Record<YAMLError['code'], Fault>>> = {
  BAD_ALIAS: { message: 'YAML: an alias (*name) without its anchor (&name) before it', fix: QUOTE },
  ALIAS_PROPS: { message: 'YAML: an alias (*name) cannot have an anchor or a tag', fix: 'remove it' },
  BAD_DIRECTIVE: { message: 'YAML: a directive (%) that cannot be read', fix: 'remove the line' },
  BAD_DQ_ESCAPE: { message: 'YAML: an unknown escape (\\) in double quotes', fix: 'use single quotes, or write \\\\' },
  BAD_INDENT: { message: 'YAML: wrong indentation', fix: 'give the keys of one map the same indentation' },
  BAD_PROP_ORDER: { message: 'YAML: an anchor or a tag in the wrong place', fix: QUOTE },
  BAD_SCALAR_START: { message: 'YAML: a value cannot begin with this character', fix: QUOTE },
  BLOCK_AS_IMPLICIT_KEY: { message: 'YAML: two keys in one line', fix: 'one `key: value` a line, or quote the value' },
  BLOCK_IN_FLOW: { message: 'YAML: an indented block inside { } or [ ]', fix: 'close the bracket first' },
  DUPLICATE_KEY: { message: 'YAML: this key stands here twice', fix: 'keep one of them' },
  KEY_OVER_1024_CHARS: { message: 'YAML: a key of more than 1024 characters', fix: 'is a quote or a colon missing?' },
  MISSING_CHAR: {
    message: 'YAML: something is not closed, or a `:` or `,` is missing',
    fix: 'close the quote, { or [ before this place; write `key: value`',
  },
  MULTILINE_IMPLICIT_KEY: { message: 'YAML: a key over several lines', fix: 'write `key: value` in one line' },
  MULTIPLE_ANCHORS: { message: 'YAML: two anchors (&name) on one value', fix: 'keep one of them' },
  MULTIPLE_DOCS: { message: 'YAML: a second document begins here', fix: 'remove the `---` and what follows' },
  MULTIPLE_TAGS: { message: 'YAML: two tags (!name) on one value', fix: QUOTE },
  RESOURCE_EXHAUSTION: { message: 'YAML: nested too deeply', fix: 'remove brackets' },
  TAB_AS_INDENT: { message: 'YAML: a tab as indentation', fix: 'indent with spaces' },
  TAG_RESOLVE_FAILED: { message: 'YAML: an unknown tag (!name)', fix: QUOTE },
};

/** Message and fix for a fault of the YAML library. */
export function yamlFault(code: YAMLError['code']): Fault {
  return FAULTS[code] ?? { message: 'YAML: this cannot be read', fix: `compare the lines around it; ${QUOTE}` };
}
