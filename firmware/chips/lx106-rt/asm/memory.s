# memcpy, memmove, memset, memcmp: the library's own go byte by byte where it is short, and most of what a device copies is short.
# These take the place of the library's, whose names are weak.
#
# Words are loaded and stored only at multiples of 4. Where source and destination lie differently, words are shifted together; a word
# that holds a byte of the source may be read whole.
    .section .note.GNU-stack,"",@progbits
    .section .text.memory,"ax"
    .literal_position

    .macro FUNCTION name
    .global \name
    .type \name,@function
    .align 4
\name:
    .endm

# Copies a byte and goes on to the next.
    .macro COPY_BYTE
    l8ui    a8, a3, 0
    addi    a3, a3, 1
    s8i     a8, a5, 0
    addi    a5, a5, 1
    .endm

    FUNCTION memmove                # (to, from, count) -> to
    sub     a8, a2, a3
    bltu    a8, a4, backward        # to lies within from: start at the end
    j       memcpy                  # forward each byte is read before it is written over

    FUNCTION memcpy                 # (to, from, count) -> to
    mov     a5, a2
    bltui   a4, 8, bytes
align_to:
    extui   a8, a5, 0, 2
    beqz    a8, aligned_to
    COPY_BYTE
    addi    a4, a4, -1
    j       align_to
aligned_to:
    extui   a8, a3, 0, 2
    bnez    a8, shifted
    srli    a6, a4, 3
    extui   a4, a4, 0, 3
    beqz    a6, words_done
two_words:
    l32i    a8, a3, 0
    l32i    a9, a3, 4
    addi    a3, a3, 8
    s32i    a8, a5, 0
    s32i    a9, a5, 4
    addi    a5, a5, 8
    addi    a6, a6, -1
    bnez    a6, two_words
words_done:
    bltui   a4, 4, bytes
    l32i    a8, a3, 0
    addi    a3, a3, 4
    s32i    a8, a5, 0
    addi    a5, a5, 4
    addi    a4, a4, -4
    j       bytes
shifted:                            # a8: how far the source lies behind a word
    srli    a6, a4, 2
    beqz    a6, bytes
    ssa8l   a3
    sub     a3, a3, a8
    extui   a4, a4, 0, 2
    l32i    a9, a3, 0
one_word:
    l32i    a10, a3, 4
    addi    a3, a3, 4
    src     a11, a10, a9
    s32i    a11, a5, 0
    addi    a5, a5, 4
    mov     a9, a10
    addi    a6, a6, -1
    bnez    a6, one_word
    add     a3, a3, a8
bytes:                              # fewer than 8
    bltui   a4, 4, three
    l8ui    a8, a3, 0
    l8ui    a9, a3, 1
    l8ui    a10, a3, 2
    l8ui    a11, a3, 3
    s8i     a8, a5, 0
    s8i     a9, a5, 1
    s8i     a10, a5, 2
    s8i     a11, a5, 3
    addi    a3, a3, 4
    addi    a5, a5, 4
    addi    a4, a4, -4
three:
    beqz    a4, copied
    l8ui    a8, a3, 0
    s8i     a8, a5, 0
    beqi    a4, 1, copied
    l8ui    a9, a3, 1
    s8i     a9, a5, 1
    beqi    a4, 2, copied
    l8ui    a10, a3, 2
    s8i     a10, a5, 2
copied:
    ret

backward:                           # from the end; the ends are behind the last bytes
    add     a3, a3, a4
    add     a5, a2, a4
    or      a8, a3, a5
    extui   a8, a8, 0, 2
    bnez    a8, backward_bytes
    srli    a6, a4, 2
    extui   a4, a4, 0, 2
    beqz    a6, backward_bytes
backward_words:
    addi    a3, a3, -4
    l32i    a8, a3, 0
    addi    a5, a5, -4
    s32i    a8, a5, 0
    addi    a6, a6, -1
    bnez    a6, backward_words
backward_bytes:
    beqz    a4, copied
    addi    a3, a3, -1
    l8ui    a8, a3, 0
    addi    a5, a5, -1
    s8i     a8, a5, 0
    addi    a4, a4, -1
    j       backward_bytes

    FUNCTION memset                 # (to, byte, count) -> to
    mov     a5, a2
    bltui   a4, 8, set_bytes
    extui   a3, a3, 0, 8
    slli    a8, a3, 8
    or      a3, a3, a8
    slli    a8, a3, 16
    or      a3, a3, a8
align_set:
    extui   a8, a5, 0, 2
    beqz    a8, set_words
    s8i     a3, a5, 0
    addi    a5, a5, 1
    addi    a4, a4, -1
    j       align_set
set_words:
    srli    a6, a4, 2
    extui   a4, a4, 0, 2
    beqz    a6, set_bytes
set_word:
    s32i    a3, a5, 0
    addi    a5, a5, 4
    addi    a6, a6, -1
    bnez    a6, set_word
set_bytes:
    beqz    a4, set_done
    s8i     a3, a5, 0
    addi    a5, a5, 1
    addi    a4, a4, -1
    j       set_bytes
set_done:
    ret

    FUNCTION bcmp
    FUNCTION memcmp                 # (one, other, count) -> less, equal or greater than 0
    or      a8, a2, a3
    extui   a8, a8, 0, 2
    bnez    a8, compare_bytes
    srli    a6, a4, 2
compare_words:
    beqz    a6, compare_bytes
    l32i    a8, a2, 0
    l32i    a9, a3, 0
    bne     a8, a9, compare_bytes   # which byte it is, the bytes tell
    addi    a2, a2, 4
    addi    a3, a3, 4
    addi    a4, a4, -4
    addi    a6, a6, -1
    j       compare_words
compare_bytes:
    bltui   a4, 4, compare_last
    l8ui    a8, a2, 0
    l8ui    a9, a3, 0
    l8ui    a10, a2, 1
    l8ui    a11, a3, 1
    bne     a8, a9, different
    bne     a10, a11, different_second
    l8ui    a8, a2, 2
    l8ui    a9, a3, 2
    l8ui    a10, a2, 3
    l8ui    a11, a3, 3
    bne     a8, a9, different
    bne     a10, a11, different_second
    addi    a2, a2, 4
    addi    a3, a3, 4
    addi    a4, a4, -4
    j       compare_bytes
different_second:
    sub     a2, a10, a11
    ret
compare_last:
    beqz    a4, same
    l8ui    a8, a2, 0
    l8ui    a9, a3, 0
    bne     a8, a9, different
    addi    a2, a2, 1
    addi    a3, a3, 1
    addi    a4, a4, -1
    j       compare_last
different:
    sub     a2, a8, a9
    ret
same:
    movi    a2, 0
    ret
