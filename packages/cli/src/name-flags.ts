/** Parsers of flags that take names; `nameFlags` gives their errors the name of the flag. */
import { InvalidOptionError } from '@knsock/core/errors';
import { fileName, filePath } from '@knsock/core/options';

/** The name of an authority's or a certificate's files in a store. @throws InvalidOptionError */
export const storeName = (text: string): string => fileName('name', text);

/** The path of files to be made, without their endings: `PATH.crt` and `PATH.key`. @throws InvalidOptionError */
export function pathOfPair(text: string): string {
  if (!/(^|[/\\])\.{0,2}$/.test(text)) return filePath('path', text);
  throw new InvalidOptionError(
    'path',
    `path must end with the name of the files, not be the folder '${text}'`,
  );
}
