/** Debian's Chromium, and pages of it that notice what must not happen. */

import { chromium } from 'playwright-core'

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--force-color-profile=srgb',
]

/** Starts the browser: CHROMIUM names another than Debian's. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    chromiumSandbox: process.getuid?.() !== 0, // Chromium has no sandbox for root
    args: flags,
  })

/**
 * Opens a page of its own storage. Its troubles are what it logged as an error, threw, was refused by the content
 * security policy, or asked of anyone but the server; allow says which of them a test expects.
 */
export async function open(
  browser,
  base,
  { width = 1280, height = 800, theme = 'dark', language = 'en-GB', allow = [], ...more } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    locale: language,
    ...more,
  })
  const page = await context.newPage()
  const troubles = []
  const note = (text) => {
    if (!allow.some((pattern) => pattern.test(text))) troubles.push(text)
  }
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      note(`${message.type()}: ${message.text()} ${message.location().url ?? ''}`)
  })
  page.on('pageerror', (err) => note(`thrown: ${err.stack ?? err}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(base) && !/^(blob|data):/.test(url)) note(`external request: ${url}`)
  })
  return { page, troubles, close: () => context.close() }
}
