package builtin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// openCounter opens a counter of this machine: as PDH has it, or else computed
// from the machine's figures.
func openCounter(ctx context.Context, m machine, path counterPath) (probe, error) {
	p, errPDH := openPDH(path)
	if errPDH == nil {
		return p, nil
	}
	p, err := openComputed(ctx, m, path)
	if err != nil {
		return probe{}, fmt.Errorf("%w; Windows says: %w", err, errPDH)
	}
	return p, nil
}

// The functions of the Performance Data Helper,
// https://learn.microsoft.com/windows/win32/perfctrs/using-the-pdh-functions-to-consume-counter-data
var (
	pdh            = windows.NewLazySystemDLL("pdh.dll")
	pdhOpenQuery   = pdh.NewProc("PdhOpenQueryW")
	pdhCloseQuery  = pdh.NewProc("PdhCloseQuery")
	pdhAddEnglish  = pdh.NewProc("PdhAddEnglishCounterW")
	pdhAddLocal    = pdh.NewProc("PdhAddCounterW")
	pdhCollect     = pdh.NewProc("PdhCollectQueryData")
	pdhFormatValue = pdh.NewProc("PdhGetFormattedCounterValue")
	pdhFormatArray = pdh.NewProc("PdhGetFormattedCounterArrayW")
)

// pdhDouble asks for values as float64, and for shares of several processors
// above 100.
const pdhDouble = 0x00000200 | 0x00008000

// A pdhStatus is an error of PDH,
// https://learn.microsoft.com/windows/win32/perfctrs/pdh-error-codes
type pdhStatus uint32

const (
	pdhNoInstance       pdhStatus = 0x800007D1
	pdhMoreData         pdhStatus = 0x800007D2
	pdhNoData           pdhStatus = 0x800007D5
	pdhNegativeBase     pdhStatus = 0x800007D6
	pdhNegativeTimebase pdhStatus = 0x800007D7
	pdhNegativeValue    pdhStatus = 0x800007D8
	pdhNoObject         pdhStatus = 0xC0000BB8
	pdhNoCounter        pdhStatus = 0xC0000BB9
	pdhNotValid         pdhStatus = 0xC0000BBA
	pdhBadName          pdhStatus = 0xC0000BC0
	pdhInvalidData      pdhStatus = 0xC0000BC6
)

func (s pdhStatus) Error() string {
	switch s {
	case pdhNoObject:
		return "there is no such object"
	case pdhNoCounter:
		return "there is no such counter"
	case pdhNoInstance:
		return "there is no such instance"
	case pdhBadName:
		return "that is no counter's path"
	}
	return fmt.Sprintf("PDH error 0x%08X", uint32(s))
}

// early tells whether a counter needs another sample before it has a value.
func (s pdhStatus) early() bool {
	return slices.Contains([]pdhStatus{pdhNoData, pdhNegativeBase, pdhNegativeTimebase, pdhNegativeValue, pdhNotValid, pdhInvalidData}, s)
}

// callPDH calls a function of PDH; its error is a pdhStatus, or says that the
// function is missing.
//
//go:uintptrescapes
func callPDH(f *windows.LazyProc, args ...uintptr) error {
	if err := f.Find(); err != nil {
		return err
	}
	if status, _, _ := f.Call(args...); uint32(status) != 0 {
		return pdhStatus(status)
	}
	return nil
}

// A pdhQuery is a query with one counter.
type pdhQuery struct {
	path    counterPath
	query   uintptr
	counter uintptr
}

// openPDH opens a counter and reads it once, which the first call of the
// probe's read returns.
func openPDH(path counterPath) (probe, error) {
	q := &pdhQuery{path: path}
	if err := callPDH(pdhOpenQuery, 0, 0, uintptr(unsafe.Pointer(&q.query))); err != nil {
		return probe{}, err
	}
	first, err := []instance(nil), q.add()
	if err == nil {
		first, err = q.read()
	}
	if err != nil {
		q.close()
		return probe{}, err
	}
	fresh := true
	return probe{every: sampleEvery, close: q.close, read: func(context.Context, machine) ([]instance, error) {
		if fresh {
			fresh = false
			return first, nil
		}
		return q.read()
	}}, nil
}

func (q *pdhQuery) close() { _ = callPDH(pdhCloseQuery, q.query) }

// add puts the counter into the query: by its English name, or else by the
// name as it is, in the system's language.
func (q *pdhQuery) add() error {
	errEnglish := q.addNamed(pdhAddEnglish, q.path.english())
	if errEnglish == nil {
		return nil
	}
	if err := q.addNamed(pdhAddLocal, q.path); err != nil {
		return errEnglish
	}
	return nil
}

func (q *pdhQuery) addNamed(f *windows.LazyProc, path counterPath) error {
	name, err := windows.UTF16PtrFromString(path.String())
	if err != nil {
		return err
	}
	return callPDH(f, q.query, uintptr(unsafe.Pointer(name)), 0, uintptr(unsafe.Pointer(&q.counter)))
}

// read collects the counter; no values and no error mean that it is too early.
func (q *pdhQuery) read() ([]instance, error) {
	err := callPDH(pdhCollect, q.query)
	var values []instance
	if err == nil && q.path.wild() {
		values, err = q.array()
	} else if err == nil {
		values, err = q.value()
	}
	var status pdhStatus
	if errors.As(err, &status) && status.early() {
		return nil, nil
	}
	return values, err
}

// A pdhValue is PDH_FMT_COUNTERVALUE with a double in it.
type pdhValue struct {
	status pdhStatus
	_      uint32
	double float64
}

func (q *pdhQuery) value() ([]instance, error) {
	var v pdhValue
	if err := callPDH(pdhFormatValue, q.counter, pdhDouble, 0, uintptr(unsafe.Pointer(&v))); err != nil {
		return nil, err
	}
	return []instance{{q.path.instance, v.double}}, nil
}

// A pdhItem is PDH_FMT_COUNTERVALUE_ITEM_W. The name points into the buffer
// that the item is in.
type pdhItem struct {
	name uintptr
	_    [8 - unsafe.Sizeof(uintptr(0))]byte
	pdhValue
}

// array reads all instances that a wildcard stands for.
func (q *pdhQuery) array() ([]instance, error) {
	var size, count uint32
	err := callPDH(pdhFormatArray, q.counter, pdhDouble, uintptr(unsafe.Pointer(&size)), uintptr(unsafe.Pointer(&count)), 0)
	if !errors.Is(err, pdhMoreData) {
		return nil, err
	}
	buffer := make([]uint64, (size+7)/8)
	base := unsafe.Pointer(unsafe.SliceData(buffer))
	err = callPDH(pdhFormatArray, q.counter, pdhDouble, uintptr(unsafe.Pointer(&size)), uintptr(unsafe.Pointer(&count)), uintptr(base))
	if err != nil {
		return nil, err
	}
	values, named := make([]instance, 0, min(int(count), maxSeries)), names{}
	for _, item := range unsafe.Slice((*pdhItem)(base), count) {
		if item.status > 1 || len(values) == maxSeries { // neither valid nor new data
			continue
		}
		name := (*uint16)(unsafe.Add(base, item.name-uintptr(base)))
		values = append(values, instance{named.next(windows.UTF16PtrToString(name)), item.double})
	}
	return values, nil
}
