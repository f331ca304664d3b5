/** Answers and events that overtake each other: what is newer stays. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { server, standIn, until } from './harness.mjs'
import { bar, control, forTV, now, onTV, songs, upcoming } from './remote.mjs'

const link = (page) => bar(page).getByRole('link', { name: /^Now playing: / })
const showing = (page, n) =>
  link(page)
    .and(page.getByRole('link', { name: titleOf(n), exact: false }))
    .waitFor()
const titleOf = (n) => server.state.library.items.find(({ id }) => id === songs[n]).title
const view = () => server.state.cast.view(onTV())
const told = (session) => server.tell('session', session)

/** Notes every song that the page has shown since, by its title. */
const note = (page) =>
  link(page).evaluate((link) => {
    window.shown = []
    const region = link.closest('section')
    const look = () => {
      const title = region.querySelector('.title').textContent
      if (window.shown.at(-1) !== title) window.shown.push(title)
    }
    look()
    new MutationObserver(look).observe(region, {
      attributes: true,
      childList: true,
      subtree: true,
      characterData: true,
    })
  })
const shown = (page) => page.evaluate(() => window.shown)

/** A promise that is kept from outside. */
function later() {
  const it = {}
  it.promise = new Promise((resolve) => (it.resolve = resolve))
  return it
}

/**
 * Holds back the answer to the next thing that the page asks of a session. Of what is returned, asked is kept once the device
 * has done it; and release lets the answer go and waits until the page has taken it in.
 */
async function holdAnswer(page, what) {
  const [asked, released] = [later(), later()]
  await page.evaluate(() => {
    const { json } = Response.prototype
    Response.prototype.json = async function () {
      const body = await json.call(this)
      if (/\/sessions\/[^/]+\//.test(this.url))
        requestAnimationFrame(() => requestAnimationFrame(() => (window.read = true)))
      return body
    }
  })
  const held = async (route) => {
    const response = await route.fetch()
    asked.resolve()
    await released.promise
    await route.fulfill({ response })
  }
  await page.route(`**/sessions/*/${what}`, held, { times: 1 })
  return {
    asked: asked.promise,
    release: async () => {
      released.resolve()
      await page.waitForFunction(() => window.read)
    },
  }
}

test('an answer that comes late does not undo what was told since', standIn, () =>
  forTV('/music', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs })
    await showing(page, 0)
    const answer = await holdAnswer(page, 'control')
    await bar(page).getByRole('button', { name: 'Next' }).click()
    await answer.asked
    control({ do: 'next' }) // somebody else's
    await showing(page, 2)
    await note(page)
    await answer.release()
    assert.equal((await shown(page)).length, 1, 'it went back')
    await showing(page, 2)
  }),
)

test('an event that comes late does not undo what was answered since', standIn, () =>
  forTV('/music', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs })
    await showing(page, 0)
    const [old, all] = [view(), { sessions: [view()], epoch: view().epoch, sequence: view().sequence }]
    await bar(page).getByRole('button', { name: 'Next' }).click()
    await until(() => onTV().index === 1)
    await showing(page, 1)
    await bar(page).getByRole('button', { name: 'Pause' }).waitFor()
    await note(page)
    told(old)
    server.tell('sessions', all)
    control({ do: 'pause' })
    await bar(page).getByRole('button', { name: 'Play', exact: true }).waitFor() // it has heard all
    assert.equal((await shown(page)).length, 1, 'it went back')
  }),
)

test('an answer that comes after the end does not bring a session back', standIn, () =>
  forTV('/music', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs })
    await showing(page, 0)
    const answer = await holdAnswer(page, 'control')
    await bar(page).getByRole('button', { name: 'Next' }).click()
    await answer.asked
    server.state.cast.answer('DELETE', `sessions/${onTV().id}`)
    await link(page).waitFor({ state: 'detached' })
    await answer.release()
    assert.equal(await link(page).count(), 0)
  }),
)

test('what is told is taken though the clock was set back, and after a restart', standIn, () =>
  forTV('/music', async (page) => {
    const { cast } = server.state
    cast.play({ renderer: 'tv', items: songs })
    await showing(page, 0)
    for (const [away, n] of [
      [-20_000, 1],
      [-86_400_000, 2],
    ]) {
      cast.state.away = away
      control({ do: 'next' })
      await showing(page, n)
    }
    const restarted = (sequence, n) => ({ ...view(), entry: onTV().queue[n], index: n, epoch: 'restarted', sequence })
    server.tell('sessions', { sessions: [restarted(1, 5)], epoch: 'restarted', sequence: 2 })
    await showing(page, 5)
    told(restarted(3, 6))
    await showing(page, 6)
  }),
)

test('the queue is read again though the answer to an edit came late', standIn, () =>
  forTV('/#now', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs })
    await until(async () => (await upcoming(page).count()) === 7)
    const answer = await holdAnswer(page, 'queue')
    await upcoming(page)
      .nth(6)
      .getByRole('button', { name: /^Remove / })
      .click()
    await answer.asked
    server.state.cast.answer('POST', `sessions/${onTV().id}/queue`, null, {
      do: 'add',
      items: ['s6-2', 's6-3', 's6-4'],
    })
    control({ do: 'pause' })
    await now(page).getByRole('button', { name: 'Play', exact: true }).waitFor() // it has heard all
    await answer.release()
    await until(async () => (await upcoming(page).count()) === 9)
  }),
)
