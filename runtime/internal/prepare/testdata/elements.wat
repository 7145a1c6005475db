;; Every kind of element segment: what they put into tables is called, and the
;; results are added up for the exit status.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (type $number (func (result i32)))
  (memory (export "memory") 1)
  (global $one funcref (ref.func $f1))
  (table $a 10 funcref)
  (table $b 10 funcref)
  (elem (i32.const 0) $f1 $f2)                                     ;; 0
  (elem $passive func $f1 $f2 $f4)                                 ;; 1
  (elem (table $b) (i32.const 1) func $f8)                         ;; 2
  (elem declare func $f16)                                         ;; 3
  (elem (i32.const 3) funcref (ref.func $f4) (ref.null func))      ;; 4
  (elem $values funcref (ref.null func) (ref.func $f8))            ;; 5
  (elem (table $b) (i32.const 4) funcref (ref.func $f2))           ;; 6
  (elem declare funcref (ref.func $f1))                            ;; 7
  (func $f1 (result i32) (i32.const 1))
  (func $f2 (result i32) (i32.const 2))
  (func $f4 (result i32) (i32.const 4))
  (func $f8 (result i32) (i32.const 8))
  (func $f16 (result i32) (i32.const 16))
  (func $a (param i32) (result i32) (call_indirect $a (type $number) (local.get 0)))
  (func $b (param i32) (result i32) (call_indirect $b (type $number) (local.get 0)))
  (func (export "_start")
    (table.init $a $passive (i32.const 5) (i32.const 1) (i32.const 2))
    (table.init $b $values (i32.const 6) (i32.const 1) (i32.const 1))
    (elem.drop $passive)
    (table.copy $b $a (i32.const 8) (i32.const 0) (i32.const 2))
    (table.set $a (i32.const 9) (ref.func $f16))
    (table.fill $a (i32.const 7) (global.get $one) (i32.const 2))
    (call $exit
      (i32.add (call $a (i32.const 1))
      (i32.add (i32.mul (i32.const 3) (call $b (i32.const 1)))
      (i32.add (i32.mul (i32.const 5) (call $a (i32.const 3)))
      (i32.add (i32.mul (i32.const 7) (call $b (i32.const 4)))
      (i32.add (i32.mul (i32.const 11) (call $a (i32.const 6)))
      (i32.add (i32.mul (i32.const 13) (call $b (i32.const 6)))
      (i32.add (i32.mul (i32.const 17) (call $b (i32.const 9)))
      (i32.add (i32.mul (i32.const 19) (call $a (i32.const 8)))
               (i32.mul (i32.const 23) (call $a (i32.const 9)))))))))))))
)
