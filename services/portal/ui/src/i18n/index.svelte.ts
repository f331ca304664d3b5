import { en } from './en'

/** A message with its plural forms, chosen by the count n. */
export type Plural = { one: string; other: string }

export type Key = keyof typeof en
/** What another language has to say: all that the English part of it says. */
export type Same<Part> = Record<keyof Part, string | Plural>
export type Messages = Same<typeof en>
export type Language = 'en' | 'de'

/** The languages there are, each by its own name, and how to load its messages. */
export const languages: Record<Language, { name: string; load: () => Promise<Messages> }> = {
  en: { name: 'English', load: async () => en },
  de: { name: 'Deutsch', load: async () => (await import('./de')).de },
}

const now = $state({ language: 'en' as Language, locale: 'en', messages: en as Messages })

/** Chooses the first of the browser's languages that is there. */
export function preferredLanguage(): Language {
  for (const tag of navigator.languages) {
    const language = tag.split('-')[0] as Language
    if (language in languages) return language
  }
  return 'en'
}

/** Loads and switches to a language. Numbers and dates follow the browser's region where it speaks the language. */
export async function setLanguage(language: Language): Promise<void> {
  const messages = await languages[language].load()
  now.messages = messages
  now.language = language
  now.locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language
  document.documentElement.lang = language
}

export const locale = () => now.locale

type Values = Record<string, string | number>

/** Returns the message of a key, with {name} replaced by its value; n picks the plural and is written by locale. */
export function t(key: Key, values: Values = {}): string {
  let message = now.messages[key]
  if (typeof message !== 'string') {
    message = new Intl.PluralRules(now.locale).select(Number(values.n)) === 'one' ? message.one : message.other
  }
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return value === undefined ? whole : typeof value === 'number' ? value.toLocaleString(now.locale) : value
  })
}

/** Returns the message of a key that may not exist, such as a code of the server's, else the fallback. */
export function tOr(key: string, fallback: string, values?: Values): string {
  return key in now.messages ? t(key as Key, values) : fallback
}
