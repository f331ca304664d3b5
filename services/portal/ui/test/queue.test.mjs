/** The queue, as the remote has it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base, server, standIn, until } from './harness.mjs'
import { bar, forTV, onTV, phone, songs, upcoming } from './remote.mjs'

test('the queue is dragged, moved by keys and by buttons, and others see it', standIn, () =>
  forTV('/#now', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs })
    const order = () => onTV().queue.map(({ item }) => Number(item.id.split('-')[1]))
    await until(async () => (await upcoming(page).count()) === 7)
    const grip = (n) =>
      upcoming(page)
        .nth(n)
        .getByRole('button', { name: /^Move / })
    const [from, to] = [await grip(0).boundingBox(), await grip(3).boundingBox()]
    await page.mouse.move(from.x + 10, from.y + 20)
    await page.mouse.down()
    await page.mouse.move(from.x + 10, from.y + 60, { steps: 4 })
    await page.mouse.move(to.x + 10, to.y + 22, { steps: 8 })
    await page.mouse.up()
    await until(() => order().join() === '1,3,4,5,2,6,7,8')
    await grip(0).focus()
    await page.keyboard.press('ArrowDown')
    await until(() => order().join() === '1,4,3,5,2,6,7,8')
    await page.getByRole('status').getByText('is number 2 of 7 now').waitFor()
    await grip(2).click()
    await upcoming(page).nth(2).getByRole('button', { name: 'Move up' }).click()
    await until(() => order().join() === '1,4,5,3,2,6,7,8')
    await upcoming(page)
      .nth(6)
      .getByRole('button', { name: /^Remove / })
      .click()
    await until(() => order().length === 7)
    server.state.cast.answer('POST', `sessions/${onTV().id}/queue`, null, { do: 'add', items: ['s6-2'] })
    await until(async () => (await upcoming(page).count()) === 7)
    await page.getByRole('button', { name: 'Undo' }).click()
    await until(() => order().join() === '1,4,5,3,2,6,7,8,2' || order().length === 9)
    await page.getByRole('button', { name: 'Clear' }).click()
    await until(() => order().length === 1)
    await page.getByText('Nothing after this song.').waitFor()
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await until(() => order().length === 9)
  }),
)

test('a swipe takes a song out, and Undo puts it back', standIn, () =>
  forTV(
    '/#now',
    async (page) => {
      server.state.cast.play({ renderer: 'tv', items: songs })
      await until(async () => (await upcoming(page).count()) === 7)
      const row = upcoming(page).nth(1)
      await row.scrollIntoViewIfNeeded()
      const { x, y, width, height } = await row.boundingBox()
      const touch = await page.context().newCDPSession(page)
      const at = (type, part) =>
        touch.send('Input.dispatchTouchEvent', {
          type,
          touchPoints: type === 'touchEnd' ? [] : [{ x: x + width * part, y: y + height / 2 }],
        })
      await at('touchStart', 0.7)
      for (const part of [0.65, 0.55, 0.4, 0.3, 0.2, 0.15]) await at('touchMove', part)
      await at('touchEnd')
      await until(() => onTV().queue.length === 7)
      assert.ok(!onTV().queue.some(({ item }) => item.id === 's4-3'))
      assert.equal(onTV().queue[onTV().index].item.id, 's4-1', 'it was no tap')
      await page.getByRole('button', { name: 'Undo' }).click()
      await until(
        () =>
          onTV()
            .queue.map(({ item }) => item.id)
            .join() === songs.join(),
      )
    },
    { width: 390, height: 844, hasTouch: true, isMobile: true, userAgent: phone },
  ),
)

test('songs, albums and films are put into the queue of the place', standIn, () =>
  forTV('/album/a4', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: ['s4-1'] })
    await bar(page).waitFor()
    await page.getByRole('button', { name: 'More for Glass signals' }).click()
    await page.getByRole('button', { name: 'Add to the queue' }).click()
    await until(() => onTV().queue.length === 2)
    await page.getByRole('button', { name: 'More for Slow tide' }).click()
    await page.getByRole('button', { name: 'Play next' }).click()
    await until(() => onTV().queue[1]?.item.id === 's4-3')
    await page.goto(base + '/film/f0')
    await page.getByRole('button', { name: 'More for The Lighthouse Keeper' }).click()
    await page.getByRole('button', { name: 'Add to the queue' }).click()
    await until(() => onTV().queue.at(-1).item.id === 'f0')
  }),
)

test('a long list goes to the TV whole', standIn, () =>
  forTV('/music/songs', async (page) => {
    await page.locator('main ol > li').nth(2).getByRole('button', { name: /^Play/ }).click()
    await until(() => onTV()?.queue.length > 300)
    assert.equal(onTV().index, 2)
    await bar(page)
      .getByRole('link', { name: /^Now playing: / })
      .click()
    await page.getByRole('button', { name: /\d+ more/ }).click()
    await until(async () => (await upcoming(page).count()) > 100)
  }),
)
