// Prints how java.time formats many patterns: the oracle of TestPatternsPrintWhatJavaPrints.
// Made with OpenJDK 17: java testdata/Patterns.java > testdata/patterns.tsv
//
// Each line is: pattern, zone, epoch second, and either =output or !refused, by tabs.

import java.time.*;
import java.time.format.*;
import java.util.*;

public class Patterns {
    static final String[] ZONES = {"UTC", "Asia/Tokyo", "America/Los_Angeles", "Asia/Kolkata", "America/St_Johns",
        "Pacific/Apia", "Africa/Monrovia", "Asia/Kathmandu", "Europe/Kiev"};

    static final String[] TIMES = {"2026-07-05T09:03:07Z", "2018-08-27T10:30:00Z", "2016-02-25T00:00:00Z", "2024-02-29T12:00:59Z",
        "2024-12-29T23:59:59Z", "2024-12-28T13:00:00Z", "2025-12-31T21:00:00Z", "2026-01-01T00:00:01Z", "2027-01-01T05:59:59Z",
        "2026-03-08T10:00:00Z", "2026-03-08T09:59:59Z", "2026-11-01T08:30:00Z", "2026-11-01T09:30:00Z", "1999-12-31T18:00:00Z",
        "2000-01-01T06:00:00Z", "2100-05-31T17:59:00Z", "2026-09-30T20:59:59Z", "1970-01-01T00:00:00Z", "2028-12-30T01:00:00Z"};

    static void line(String pattern, String zone, long second) {
        String result;
        try {
            result = "=" + DateTimeFormatter.ofPattern(pattern, Locale.US)
                .format(Instant.ofEpochSecond(second).atZone(ZoneId.of(zone)));
        } catch (IllegalArgumentException | DateTimeException e) {
            result = "!refused";
        } catch (ClassCastException e) {
            return; // a padded number before another one crashes Java 17 itself
        }
        System.out.println(pattern + "\t" + zone + "\t" + second + "\t" + result);
    }

    public static void main(String[] args) {
        System.out.println("# made with java " + System.getProperty("java.version") + " by testdata/Patterns.java");
        Random random = new Random(17);
        String letters = "";
        for (char c = 'A'; c <= 'z'; c++) if (Character.isLetter(c)) letters += c;
        long first = Instant.parse(TIMES[0]).getEpochSecond();
        // Every letter as often as anything allows, and some oftener.
        for (char c : letters.toCharArray())
            for (int n : new int[] {1, 2, 3, 4, 5, 6, 9, 10, 19, 20, 21})
                line(String.valueOf(c).repeat(n), "UTC", first);
        // Everything that compiles, at all times, in zones in turn.
        int turn = 0;
        for (char c : letters.toCharArray())
            for (int n = 1; n <= 5; n++) {
                String p = String.valueOf(c).repeat(n);
                try { DateTimeFormatter.ofPattern(p, Locale.US); } catch (IllegalArgumentException e) { continue; }
                for (String t : TIMES) {
                    long second = Instant.parse(t).getEpochSecond();
                    line(p, "UTC", second);
                    if (c != 'z' && c != 'v') line(p, ZONES[1 + turn++ % (ZONES.length - 1)], second);
                }
            }
        // Punctuation, quotes, sections, padding.
        for (String p : new String[] {"", "'", "''", "'''", "''''", "'a''b'", "'year='yyyy'/doy='DDD", "yyyy[-MM]", "yyyy[", "yyyy]", "[]",
                "[[yyyy]MM]", "[yyyy]]", "{", "}", "#", "yyyy#", "a{b", "!yyyy", "yyyy/MM/dd/HH", "yyyy-MM-dd'T'HH:mm:ssXXX", "ppH", "pppM",
                "pH", "p", "pp", "pp-", "pp[H]", "ppMMMM", "pppppppppppMMMM", "pppppppppppppp'x'", "yyyyMMddHHmmss", "'p'pd", "ppdpdd", "é/yyyy",
                "日付=dd", "yyyy.MM.dd 'at' hh:mm a", "EEEE, d MMMM yyyy", "h 'o''clock' a", "''yyyy''", "'''yyyy'''", "yyyy 'open", "<yyyy>&|\"",
                "YYYY-'W'ww-e", "uuuu-DDD", "W/F", "kk:KK:hh", "SSSSSSSSS n N A", "g", "ppppppB", "GGGG y", "QQQQ qqqq LLLL cccc", "VV", "[VV]x", "XXX xxx ZZZZZ OOOO"})
            for (int i = 0; i < 4; i++)
                line(p, ZONES[i * 2 % ZONES.length], Instant.parse(TIMES[i]).getEpochSecond());
        // Random ones.
        String alphabet = "yyyyuYMMMddDDHHhkKmmssSSnNAgEecaGQqLwWFXxZOVBp''[]-/:_ =T{#";
        for (int i = 0; i < 1500; i++) {
            StringBuilder p = new StringBuilder();
            for (int parts = 1 + random.nextInt(4); parts > 0; parts--) {
                char c = alphabet.charAt(random.nextInt(alphabet.length()));
                p.append(String.valueOf(c).repeat(1 + random.nextInt(random.nextInt(4) == 0 ? 5 : 2)));
            }
            line(p.toString(), ZONES[random.nextInt(ZONES.length)],
                Instant.parse(TIMES[random.nextInt(TIMES.length)]).getEpochSecond() + random.nextInt(86400));
        }
    }
}
