package serde

import "time"

// instant puts the fields together. What was not given is that of 1970-01-01 00:00, and the
// zone is UTC. As in Joda larger fields are set before smaller ones, and a day that its month
// does not have is refused.
func (f *fields) instant() (instant, bool) {
	year, ok := f.fullYear()
	if !ok {
		return instant{}, false
	}
	year, month, day, ok := f.date(year)
	if !ok {
		return instant{}, false
	}
	wall := midnight(year, month, day) + int64(f.hours()*3600+f.minute*60+f.second)
	seconds, ok := f.toUTC(wall)
	return instant{seconds, int32(f.milli) * 1e6}, ok
}

// fullYear is the year of the era and the century. Years before the first are refused.
func (f *fields) fullYear() (int, bool) {
	year := 1970
	if f.century != unset {
		year = f.century*100 + 70
	}
	if f.year != unset {
		year = f.year
	}
	beforeChrist := f.era == 0 || f.era == 2
	return year, year >= 1 && year <= 9999 && !beforeChrist
}

func (f *fields) date(year int) (y, month, day int, ok bool) {
	month, day = 1, 1
	if f.month != unset {
		month = f.month
	}
	if f.day != unset {
		day = f.day
	}
	if f.dayOfYear != unset && f.month == unset && f.day == unset {
		if f.dayOfYear == 366 && daysOf(year, 2) == 28 {
			return 0, 0, 0, false
		}
		day = f.dayOfYear
	} else if day > daysOf(year, month) {
		return 0, 0, 0, false
	}
	if f.weekYear == unset && f.week == unset && f.dayOfWeek == unset {
		return year, month, day, true
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t, ok = f.isoWeek(t); !ok {
		return 0, 0, 0, false
	}
	return t.Year(), int(t.Month()), t.Day(), true
}

// isoWeek moves a date to the week and weekday that were given, keeping those that were not.
func (f *fields) isoWeek(t time.Time) (time.Time, bool) {
	weekYear, week := t.ISOWeek()
	weekday := (int(t.Weekday())+6)%7 + 1
	if f.weekYear != unset {
		weekYear = f.weekYear
	}
	if f.week != unset {
		week = f.week
	}
	if f.dayOfWeek != unset {
		weekday = f.dayOfWeek
	}
	fourth := time.Date(weekYear, 1, 4, 0, 0, 0, 0, time.UTC) // always in week 1
	monday := 4 - (int(fourth.Weekday())+6)%7
	got := time.Date(weekYear, 1, monday+(week-1)*7+weekday-1, 0, 0, 0, 0, time.UTC)
	y, w := got.ISOWeek()
	return got, y == weekYear && w == week
}

// hours is the hour of the day.
func (f *fields) hours() int {
	half := 0
	switch {
	case f.half != unset:
		half = f.half
	case f.hour != unset:
		half = f.hour / 12
	}
	switch {
	case f.halfHour != unset:
		return half*12 + f.halfHour
	case f.hour != unset:
		return f.hour
	}
	return half * 12
}
