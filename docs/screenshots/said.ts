/** What the people of the pictures ask, and what they are answered. */
export const NAMES = ['minji', 'alex', 'jiho', 'sora', 'daniel', 'yuna'];

export const DAILY = {
  ko: [
    '오늘 할 일을 중요한 순서로 정리해 주세요',
    '이 문장을 더 부드럽게 고쳐 주세요',
    '점심으로 먹기 좋은 가벼운 메뉴를 추천해 주세요',
    '회의록을 세 줄로 요약해 주세요',
    '엑셀에서 중복된 값을 찾는 방법을 알려 주세요',
  ],
  en: ['Sort my to-do list by what matters', 'Make this paragraph shorter', 'Explain this error message'],
};

export const EARLIER = {
  ko: [
    '이번 주말 서울에서 걷기 좋은 길을 알려 주세요',
    '거래처에 보낼 일정 변경 메일을 써 주세요',
    '일본어로 “잘 먹겠습니다”는 어떻게 말하나요?',
  ],
  en: ['A polite email to move a meeting', 'Packing list for three days in Busan', 'What is a window function?'],
};

export const ANSWERS = {
  ko: {
    question: '복리가 무엇인지 쉽게 설명해 주세요',
    answer: `**복리(複利)**는 이자에도 다시 이자가 붙는 방식입니다. 100만 원을 연 5%로 맡기면 이렇게 늘어납니다.

| 기간 | 단리 | 복리 |
| --- | ---: | ---: |
| 1년 | 1,050,000원 | 1,050,000원 |
| 10년 | 1,500,000원 | 1,628,895원 |
| 20년 | 2,000,000원 | 2,653,298원 |

$$A = P\\,(1 + r)^{n}$$

처음에는 차이가 작지만 시간이 갈수록 **눈덩이처럼** 커집니다. 그래서 금액보다 먼저 시작하는 것이 중요합니다.`,
  },
  en: {
    question: 'How do I find duplicate rows in SQL?',
    answer: `Group by the columns that should be unique and keep the groups with more than one row:

\`\`\`sql
select email, count(*)
from users
group by email
having count(*) > 1;
\`\`\`

To see the rows themselves, use a **window function**:

\`\`\`sql
select * from (
  select *, count(*) over (
    partition by email) as n
  from users
) u where n > 1;
\`\`\`

Once they are gone, a unique index keeps them away.`,
  },
} as const;
