import { t } from '../../i18n/index.svelte'

const encoder = new TextEncoder()

/** What is wrong with a WiFi password; empty: nothing. It has 8 to 63 bytes, or is the key in 64 hexadecimal digits. */
export function problemOf(passphrase: string): string {
  const size = encoder.encode(passphrase).length
  if (size < 8) return t('join.short')
  if (size > 63 && !/^[0-9a-f]{64}$/i.test(passphrase)) return t('join.long')
  return ''
}
