import { assertEquals } from "@std/assert";
import { cronInWords } from "./cron_words.ts";

Deno.test("cron expressions are said in words", () => {
  const words: Record<string, string> = {
    "0 30 2 * * *": "at 02:30",
    "15 0 9 * * *": "at 09:00:15",
    "0 0 8 * * MON-FRI": "at 08:00 on weekdays",
    "0 0 8 * * 1,3": "at 08:00 on Monday and Wednesday",
    "0 0 6,18 * * *": "at 06:00 and 18:00",
    "*/20 * * * * *": "every 20 seconds",
    "0 */5 * * * *": "every 5 minutes",
    "0 0 */2 * * *": "every 2 hours",
    "* * * * * *": "every second",
    "0 * * * * *": "every minute",
    "0 0 * * * *": "every hour",
    "0 15 * * * *": "minute 15",
    "0 0 0 1 * *": "at 00:00 on day 1 of the month",
    "0 0 0 1 1,7 *": "at 00:00 on day 1 of the month in January and July",
    "0 0 0 * JAN-MAR SUN": "at 00:00 on Sunday in January to March",
  };
  for (const [cron, text] of Object.entries(words)) assertEquals(cronInWords(cron), text, cron);
});

Deno.test("what is no cron expression of six fields is left as it is", () => {
  for (const text of ["", "* * *", "<b>", "0 0 8 * * MON-FRI extra"]) assertEquals(cronInWords(text), text);
});
