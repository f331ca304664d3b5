/** What the tests of the remote share: where things are on it, and the stand-in's TV. */

import { beforeEach } from 'node:test'
import { server, visit } from './harness.mjs'

/** A phone’s browser. */
export const phone =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36'

export const bar = (page) => page.getByRole('region', { name: 'Player' })
export const now = (page) => page.getByRole('dialog', { name: 'Now playing' })
export const place = (page) => page.getByRole('button', { name: /^Play on … Now: / }).locator('visible=true')
export const sheet = (page) => page.getByRole('dialog', { name: 'Play on' })
export const upcoming = (page) => page.getByRole('region', { name: 'Next' }).getByRole('listitem')
export const silent = (page) =>
  page.waitForFunction(() => [...document.querySelectorAll('audio')].every((a) => a.paused))
export const timeOf = (page) => page.evaluate(() => document.querySelector('#audio').currentTime)

/** Chooses a place. */
export async function choose(page, name) {
  await place(page).first().click()
  await sheet(page).getByRole('button', { name, exact: false }).first().click()
}

export const onTV = () => server.state.cast.on('tv')
export const control = (what) => server.state.cast.answer('POST', `sessions/${onTV().id}/control`, null, what)
export const songs = ['s4-1', 's4-2', 's4-3', 's4-4', 's4-5', 's4-6', 's4-7', 's4-8']

// Nothing plays when a test begins.
beforeEach(() => {
  if (!server) return
  const { state } = server.state.cast
  for (const session of state.sessions.values()) clearTimeout(session.timer)
  state.sessions.clear()
  Object.assign(state, { delay: 0, away: 0, reports: [] })
  server.state.casting = true
})

/** A page for which the TV is already chosen. */
export const forTV = (path, run, options = {}) =>
  visit(
    path,
    async (page) => {
      await run(page)
    },
    { ...options, settings: { place: 'tv', ...options.settings } },
  )
