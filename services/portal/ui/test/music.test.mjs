/** Songs: playing, the queue, and what goes wrong on the way. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { advances, firstAlbum, server, standIn, texts, until, visit } from './harness.mjs'

test('a song plays, pauses by key, seeks and goes on to the next', async () => {
  const album = await firstAlbum()
  await visit(`/album/${album.id}`, async (page) => {
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(page, '#audio')
    const song = await page.evaluate(() => document.querySelector('#audio').src)
    await page.getByRole('heading', { level: 1 }).click() // leave the button
    await page.locator('main').focus()
    await page.keyboard.press('Space')
    await page.waitForFunction(() => document.querySelector('#audio').paused)
    const at = await page.evaluate(() => document.querySelector('#audio').currentTime)
    await page.keyboard.press('ArrowRight')
    await page.waitForFunction((at) => document.querySelector('#audio').currentTime > at + 5, at)
    await page.keyboard.press('Space')
    await page.waitForFunction(() => !document.querySelector('#audio').paused)
    if (album.tracks > 1) {
      await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Next song' }).click()
      await page.waitForFunction((song) => document.querySelector('#audio').src !== song, song)
      assert.ok(await page.evaluate(() => navigator.mediaSession.metadata.title))
    }
  })
})

test('one song follows the other by itself', standIn, () =>
  visit('/album/a4', async (page) => {
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(page, '#audio', 0.5)
    await page.evaluate(
      () => (document.querySelector('#audio').currentTime = document.querySelector('#audio').duration - 0.3),
    )
    await page.waitForFunction(
      () => document.querySelector('#audio').src.includes('s4-2') && document.querySelector('#audio').currentTime > 0.3,
    )
  }),
)

test('now playing opens over the page, and Escape leads back', async () => {
  const album = await firstAlbum()
  await visit(`/album/${album.id}`, async (page) => {
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(page, '#audio', 0.5)
    await page.getByRole('link', { name: /^Now playing: / }).click()
    const dialog = page.getByRole('dialog', { name: 'Now playing' })
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.equal(new URL(page.url()).hash, '')
  })
})

test('the queue is shuffled and put back', standIn, () =>
  visit('/album/a4', async (page) => {
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await page.getByRole('link', { name: /^Now playing: / }).click()
    const queue = page.getByRole('region', { name: 'Next' }).getByRole('listitem')
    const before = await texts(queue)
    await queue
      .nth(1)
      .getByRole('button', { name: /^Remove / })
      .click()
    await until(async () => (await queue.count()) === before.length - 1)
    await page.getByRole('button', { name: 'Undo' }).click()
    await until(async () => isDeepStrictEqual(await texts(queue), before))
    await page.getByRole('dialog').getByRole('button', { name: 'Shuffle' }).click()
    await until(async () => !isDeepStrictEqual(await texts(queue), before))
    await page.getByRole('dialog').getByRole('button', { name: 'Shuffle', pressed: true }).click()
    await until(async () => isDeepStrictEqual(await texts(queue), before))
  }),
)

test('a damaged song is skipped with a word', standIn, async () => {
  server.state.fail.set('/media/s4-1/file', { status: 422, code: 'corrupt', message: 's4-1: the file is damaged' })
  await visit(
    '/album/a4',
    async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click()
      await page.getByRole('status').getByText('The file is damaged').waitFor()
      await page.waitForFunction(() => document.querySelector('#audio').src.includes('s4-2'))
      await advances(page, '#audio', 0.5)
    },
    { allow: [/422/] },
  )
  server.state.fail.clear()
})

test('a disk that is pulled out stops the song, and its return goes on', standIn, async () => {
  const { status } = server.state
  server.state.fail.set('/media/s4-2/file', { status: 503, code: 'away', message: 's4-2: its disk is not connected' })
  const away = { ...status.library, roots: [{ ...status.library.roots[0], away: true }] }
  await visit(
    '/album/a4',
    async (page) => {
      server.tell('library', away)
      await page.locator('main ol > li').nth(1).getByRole('button', { name: /^Play/ }).click()
      const bar = page.getByRole('region', { name: 'Player' })
      await bar.getByText('The disk with this is not connected').waitFor()
      server.state.fail.clear()
      server.tell('library', status.library)
      await advances(page, '#audio', 0.5)
      assert.equal(await bar.getByText('The disk with this is not connected').count(), 0)
    },
    { allow: [/503/] },
  )
})

test('the next visit begins where the last one was left', standIn, () =>
  visit('/album/a4', async (page) => {
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(page, '#audio')
    await page.reload()
    await page.getByRole('link', { name: /^Now playing: / }).waitFor()
    await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Play', exact: true }).click()
    await page.waitForFunction(() => document.querySelector('#audio').currentTime > 0.9)
  }),
)
