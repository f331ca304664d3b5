/**
 * What the tests of the page share. With BASE_URL they look at the page of a real manofwar that has at least one album
 * and one film; without, at that of the stand-in, which can also fail on demand.
 */

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { launch, open } from './browser.mjs'
import { serve } from './server.mjs'

const real = process.env.BASE_URL?.replace(/\/$/, '')

/** For tests that need the stand-in. */
export const standIn = { skip: real ? 'a real manofwar does not fail on demand' : false }

/** For tests that need what only a real manofwar does. */
export const realOnly = {
  skip: !real ? 'the stand-in has no player' : process.platform !== 'linux' && 'the player needs Linux',
}

/** The stand-in, or null; and the address of whichever it is. */
export let server = null
export let base = real
let chromium

before(async () => {
  if (!real) {
    server = await serve()
    base = server.url
  }
  chromium = await launch()
})
after(async () => {
  await chromium?.close()
  await server?.close()
})

/** The browser, for a test that needs more than one page. */
export const browser = () => chromium

/** Runs a test on a page of its own, which must have had no trouble by its end. */
export async function visit(path, run, options = {}) {
  const { page, troubles, close } = await open(chromium, base, options)
  page.setDefaultTimeout(20_000)
  if (options.settings) await page.addInitScript(prefer, options.settings)
  try {
    await page.goto(base + path)
    await run(page)
    assert.deepEqual(troubles, [])
  } finally {
    await close()
  }
}

/** Makes a browser's choices before its page is there. */
function prefer(settings) {
  if (!localStorage.getItem('manofwar.settings')) localStorage.setItem('manofwar.settings', JSON.stringify(settings))
}

export const advances = (page, selector, by = 1) =>
  page.waitForFunction(
    ([selector, by]) => {
      const media = document.querySelector(selector)
      window.from ??= media?.currentTime
      return media && media.currentTime >= window.from + by
    },
    [selector, by],
    { timeout: 45_000 },
  )

/** Waits until something is so. */
export async function until(is) {
  for (const end = Date.now() + 10_000; !(await is());) {
    if (Date.now() > end) throw new Error(`not within 10 seconds: ${is}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export const firstAlbum = async () => (await (await fetch(base + '/api/v1/albums?limit=1')).json()).albums[0]
export const titleOf = (film) =>
  film.title ||
  film.path
    .split('/')
    .at(-1)
    .replace(/( \(\d{4}\))?\.[^.]+$/, '')
export const filmsOf = async () => (await (await fetch(base + '/api/v1/items?kind=film')).json()).items
export const firstFilm = async () =>
  (await filmsOf()).find(
    (film) => !film.problem && !film.away && film.streams?.some((stream) => stream.codec === 'h264'),
  )

/** What rows say, without the letters that stand for a cover until it is there. */
export const texts = (rows) =>
  rows.evaluateAll((all) =>
    all.map((row) => {
      const copy = row.cloneNode(true)
      for (const drawing of copy.querySelectorAll('svg')) drawing.remove()
      return copy.textContent.trim()
    }),
  )
