"""Runs coroutines in an event loop of the program's own."""
import asyncio


async def square(n):
    await asyncio.sleep(0.001 * (5 - n))
    return n * n


async def main():
    results = await asyncio.gather(*[square(n) for n in range(5)])
    try:
        await asyncio.wait_for(asyncio.sleep(30), timeout=0.01)
    except asyncio.TimeoutError:
        results.append("timeout")
    return results


if __name__ == "__channelexec__":
    loop = asyncio.new_event_loop()
    channel.send(loop.run_until_complete(main()))
    loop.close()
