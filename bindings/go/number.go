//go:build cgo

package kstone

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The rules are those of crates/kstone-core/src/number.rs, which checks what comes in once more.
const (
	maxDigits      = 38
	maxNumberBytes = 1024
	maxExponent    = 125
	minExponent    = -130
	// expClamp is where exponents stop counting: next to maxNumberBytes digits the number is out of range anyway.
	expClamp    = 1_000_000
	quotedRunes = 64
)

// Int is an integer as a [Number].
func Int[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](n T) Number {
	if n < 0 {
		return Number(strconv.FormatInt(int64(n), 10))
	}
	return Number(strconv.FormatUint(uint64(n), 10))
}

// Float is a float as a [Number]: the shortest decimal that reads back as the same float64. An infinity or a NaN is no
// number, and is refused where it is written.
func Float(f float64) Number { return Number(strconv.FormatFloat(f, 'g', -1, 64)) }

// Int64 is the number as an int64.
//
// Errors: [ErrType] where it has a fraction or does not fit, [ErrInvalid] where the text is no number.
func (n Number) Int64() (int64, error) {
	text, err := canonical(string(n))
	if err != nil {
		return 0, public(err)
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, newError(ErrType, "the number "+text+" is not an int64")
	}
	return i, nil
}

// Float64 is the float64 nearest to the number, which has up to 38 digits where a float64 has some 16.
//
// Errors: [ErrInvalid] where the text is no number.
func (n Number) Float64() (float64, error) {
	text, err := canonical(string(n))
	if err != nil {
		return 0, public(err)
	}
	return strconv.ParseFloat(text, 64)
}

// canonical is the one text of the number that `text` spells.
func canonical(text string) (string, error) {
	if isShortCanonical(text) {
		return text, nil
	}
	const notANumber = "The parameter cannot be converted to a numeric value"
	if text == "" {
		return "", invalid(notANumber)
	}
	if len(text) > maxNumberBytes {
		return "", tooLarge("Number text", "bytes", maxNumberBytes, len(text))
	}
	n, ok := parseDecimal(text)
	if !ok {
		return "", invalid("%s: %s", notANumber, quoted(text))
	}
	leading := n.point - 1
	switch {
	case n.digits == "":
		return "0", nil
	case leading > maxExponent:
		return "", invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case leading < minExponent:
		return "", invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	case len(n.digits) > maxDigits:
		return "", invalid("Attempting to store more than %d significant digits in a Number", maxDigits)
	}
	return n.plain(), nil
}

// isShortCanonical recognises canonical text of up to 38 digits, zeros included.
func isShortCanonical(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	point := len(digits)
	for i := range len(digits) {
		switch c := digits[i]; {
		case c == '.' && point == len(digits):
			point = i
		case c < '0' || c > '9':
			return false
		}
	}
	if point == 0 || (point > 1 && digits[0] == '0') {
		return false
	}
	if point == len(digits) {
		return point <= maxDigits && !(digits == "0" && len(text) > 1)
	}
	return len(digits)-1 <= maxDigits && point+1 < len(digits) && digits[len(digits)-1] != '0'
}

// decimal is ±0.digits × 10^point, digits without a zero at either end; none in zero.
type decimal struct {
	negative bool
	digits   string
	point    int
}

func parseDecimal(text string) (n decimal, ok bool) {
	mantissa, exponent := text, 0
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa = text[:at]
		if exponent, ok = parseExponent(text[at+1:]); !ok {
			return n, false
		}
	}
	n.negative = strings.HasPrefix(mantissa, "-")
	if n.negative || strings.HasPrefix(mantissa, "+") {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if len(whole)+len(fraction) == 0 || !allDigits(whole) || !allDigits(fraction) {
		return n, false
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	n.point = len(digits) - len(fraction) + exponent
	n.digits = strings.TrimRight(digits, "0")
	return n, true
}

func parseExponent(text string) (int, bool) {
	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	if text == "" || !allDigits(text) {
		return 0, false
	}
	exponent := 0
	for _, c := range []byte(text) {
		exponent = min(exponent*10+int(c-'0'), expClamp)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

func allDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// plain is the number without an exponent.
func (n decimal) plain() string {
	sign := ""
	if n.negative {
		sign = "-"
	}
	switch {
	case n.point <= 0:
		return sign + "0." + strings.Repeat("0", -n.point) + n.digits
	case n.point >= len(n.digits):
		return sign + n.digits + strings.Repeat("0", n.point-len(n.digits))
	default:
		return sign + n.digits[:n.point] + "." + n.digits[n.point:]
	}
}

// compareNumbers orders canonical texts as numbers.
func compareNumbers(a, b string) int {
	switch aNegative, bNegative := a[0] == '-', b[0] == '-'; {
	case aNegative && bNegative:
		return compareMagnitudes(b[1:], a[1:])
	case aNegative:
		return -1
	case bNegative:
		return 1
	}
	return compareMagnitudes(a, b)
}

func compareMagnitudes(a, b string) int {
	whole := func(text string) int {
		if point := strings.IndexByte(text, '.'); point >= 0 {
			return point
		}
		return len(text)
	}
	if byLength := whole(a) - whole(b); byLength != 0 {
		return byLength
	}
	return strings.Compare(a, b)
}

// quoted is text for an error's message, cut where it is long.
func quoted(text string) string {
	if utf8.RuneCountInString(text) <= quotedRunes {
		return text
	}
	return string([]rune(text)[:quotedRunes]) + "…"
}

// appendFloat appends the canonical text of a float.
func appendFloat(b []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, invalid("The parameter cannot be converted to a numeric value: %s", fmt.Sprint(f))
	}
	text, err := canonical(strconv.FormatFloat(f, 'g', -1, bits))
	return append(b, text...), err
}
